#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/base/check.h"
#include "common/base/crc32c.h"
#include "origin/hls/dash_manifest.h"
#include "origin/hls/iframes.h"
#include "origin/hls/multivariant_playlist.h"
#include "origin/hls/presentation.h"
#include "origin/mp4/box.h"
#include "origin/mp4/index_clip.h"

// Any bytes as a stored track index: an error, or an index that everything can be packaged from. The sum at the end is
// made right first, or nearly every input would stop there.

using namespace reelway;
using namespace reelway::origin;

namespace {

constexpr std::uint32_t kSegmentsMax = 8;

Bytes sealed(ByteView bytes) {
  ByteWriter out;
  out.append(bytes);
  out.u32(crc32c(bytes));
  return out.take();
}

void check_boxes(ByteView bytes, mp4::FourCc first) {
  const auto header = mp4::next_box_header(bytes);
  CHECK(header.ok() && header->type == first && header->size < bytes.size());
}

void package(std::shared_ptr<const mp4::TrackIndex> index, std::uint32_t units_per_segment) {
  const hls::Presentation film{{{"video/720", "name", true, index}}, units_per_segment};
  CHECK(hls::multivariant_playlist({film}).starts_with("#EXTM3U\n"));
  CHECK(hls::media_playlist(film, film.tracks[0]).ends_with("#EXT-X-ENDLIST\n"));
  CHECK(hls::dash_manifest({film}).ends_with("</MPD>\n"));
  if (index->kind == mp4::TrackKind::video) {
    CHECK(hls::iframe_playlist(film, film.tracks[0], hls::Packaging::cmaf).ends_with("#EXT-X-ENDLIST\n"));
    for (const hls::FilePiece& piece : hls::iframe_file(*index, hls::iframe_file_count(*index) - 1)) {
      CHECK(piece.file_offset <= index->file_bytes && piece.file_bytes <= index->file_bytes - piece.file_offset);
    }
  }
  check_boxes(hls::init_segment(film.tracks[0]), mp4::four_cc("ftyp"));
  const std::uint32_t count = hls::segment_count(*index, units_per_segment);
  for (std::uint32_t n = 0; n < count && n < kSegmentsMax; ++n) {
    const auto plan = hls::plan_segment(*index, units_per_segment, n);
    CHECK(plan.ok());
    CHECK(plan->file_offset <= index->file_bytes && plan->file_bytes <= index->file_bytes - plan->file_offset);
    check_boxes(plan->header, mp4::four_cc("styp"));
  }
  CHECK(!hls::plan_segment(*index, units_per_segment, count).ok());
}

// Any half of it is a film of its own, or is refused.
std::shared_ptr<const mp4::TrackIndex> second_half(const mp4::TrackIndex& index) {
  const auto count = static_cast<std::uint32_t>(index.units.size());
  const auto range = mp4::clip_range(index, count / 2, count);
  CHECK(range.ok());
  auto clip = mp4::clip_of(index, *range);
  if (!clip) return nullptr;
  CHECK(mp4::parse_index(mp4::serialize_index(*clip)).ok());
  return std::make_shared<const mp4::TrackIndex>(std::move(*clip));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  (void)mp4::parse_index(bytes);
  const Bytes whole = sealed(size < 4 ? bytes : bytes.first(size - 4));
  auto index = mp4::parse_index(whole);
  if (!index) return 0;
  // What was read comes back as it was written, but for the first format, which is written no more.
  const Bytes stored = mp4::serialize_index(*index);
  CHECK(stored == whole || whole[5] == 1);
  CHECK(mp4::parse_index(stored).ok());
  const auto shared = std::make_shared<const mp4::TrackIndex>(std::move(*index));
  if (const auto clip = second_half(*shared)) package(clip, 3);
  package(shared, 1);
  package(shared, 3);
  return 0;
}
