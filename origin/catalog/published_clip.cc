#include "origin/catalog/published_clip.h"

#include <algorithm>

#include "common/base/crc32c.h"
#include "common/base/encoding.h"
#include "origin/mp4/index_clip.h"
#include "origin/mp4/ticks.h"
#include "origin/text/text_sheet.h"

namespace reelway::origin {
namespace {

Error invalid(std::string detail) {
  return {ErrorCode::clip_invalid, Side::client, false, std::move(detail)};
}

const mp4::TrackIndex* reference_of(const PublishedVersion& version) {
  for (const hls::Track& track : version.presentation.tracks) {
    if (track.index->kind == mp4::TrackKind::video) return track.index.get();
  }
  return nullptr;
}

std::int64_t start_ms(const mp4::TrackIndex& index, std::uint32_t unit) {
  return static_cast<std::int64_t>(mp4::rescale(mp4::unit_start(index, unit), 1000, index.timescale));
}

// Differs from the film's and from that of any other clip.
std::string content_id(const PublishedVersion& whole, const access::Clip& clip) {
  const std::string text = whole.content_id + "/" + access::clip_text(clip);
  ByteWriter writer;
  writer.u32(crc32c(as_bytes(text)));
  return hex(writer.bytes()) + whole.content_id;
}

// The cues that are shown within the clip, cut to it.
Result<hls::TextTrack> text_clip(const hls::TextTrack& whole, const ClipTimes& times) {
  const auto from_ms = static_cast<std::uint32_t>(times.from_ms);
  const auto to_ms = static_cast<std::uint32_t>(times.to_ms);
  auto sheet = std::make_shared<text::TextSheet>(whole.cues->form());
  REELWAY_TRY(sheet->set_head(whole.cues->head()));
  for (std::size_t i = 0; i < whole.cues->size(); ++i) {
    text::Cue cue = whole.cues->cue(i);
    if (cue.to_ms <= from_ms || cue.from_ms >= to_ms) continue;
    cue.from_ms = std::max(cue.from_ms, from_ms) - from_ms;
    cue.to_ms = std::min(cue.to_ms, to_ms) - from_ms;
    REELWAY_TRY(sheet->add(cue));
  }
  sheet->sort();
  hls::TextTrack part = whole;
  part.cues = std::move(sheet);
  part.ttml = nullptr;  // documents may have times within a cue, which would have to be cut, too
  return part;
}

}  // namespace

Result<std::shared_ptr<const PublishedVersion>> published_clip(std::shared_ptr<const PublishedVersion> whole,
                                                               const access::Clip& clip) {
  const mp4::TrackIndex* reference = reference_of(*whole);
  if (reference == nullptr) return invalid("the film has no picture");
  const auto range = mp4::clip_range(*reference, clip.first, clip.end);
  if (!range) return range.error();
  auto version = std::make_shared<PublishedVersion>();
  version->title = whole->title;
  version->name = whole->name;
  version->version = whole->version;
  version->presentation.units_per_segment = whole->presentation.units_per_segment;
  version->files = whole->files;
  version->published_at_ms = whole->published_at_ms;
  version->source_sha256 = whole->source_sha256;
  version->content_id = content_id(*whole, clip);
  for (const hls::Track& track : whole->presentation.tracks) {
    auto index = mp4::clip_of(*track.index, *range);
    if (!index) return std::move(index).error();
    version->index_memory_bytes += index->memory_bytes();
    hls::Track part = track;
    part.index = std::make_shared<const mp4::TrackIndex>(std::move(index).value());
    version->presentation.tracks.push_back(std::move(part));
  }
  const ClipTimes times = clip_times(*whole, clip);
  for (const hls::TextTrack& track : whole->presentation.texts) {
    auto part = text_clip(track, times);
    if (!part) return std::move(part).error();
    version->index_memory_bytes += part->cues->memory_bytes();
    version->presentation.texts.push_back(std::move(part).value());
  }
  version->duration_ms = times.to_ms - times.from_ms;
  version->whole = std::move(whole);
  return std::shared_ptr<const PublishedVersion>(std::move(version));
}

Result<access::Clip> clip_between(const PublishedVersion& version, std::int64_t from_ms, std::int64_t to_ms) {
  const mp4::TrackIndex* index = reference_of(version);
  if (index == nullptr) return invalid("the film has no picture");
  if (from_ms < 0 || from_ms >= to_ms) return invalid("a clip ends after it begins");
  const auto count = static_cast<std::uint32_t>(index->units.size());
  if (from_ms >= start_ms(*index, count)) {
    return invalid("it begins after " + std::to_string(start_ms(*index, count)) + " ms, where the film ends");
  }
  access::Clip clip{0, count};
  for (std::uint32_t unit = 0; unit < count; ++unit) {
    if (start_ms(*index, unit) <= from_ms) clip.first = unit;
    if (start_ms(*index, unit) >= to_ms) {
      clip.end = unit;
      break;
    }
  }
  return clip;
}

ClipTimes clip_times(const PublishedVersion& version, const access::Clip& clip) {
  const mp4::TrackIndex* index = reference_of(version);
  if (index == nullptr) return {};
  return {start_ms(*index, clip.first), start_ms(*index, clip.end)};
}

}  // namespace reelway::origin
