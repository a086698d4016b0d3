#include <string>
#include <string_view>

#include "common/base/check.h"
#include "origin/hls/image_playlists.h"
#include "origin/text/read_text.h"
#include "origin/text/write_webvtt.h"
#include "origin/transcode/jpeg_cutter.h"

// What a film has beside picture and sound. The first byte says which parser: 's' subtitles as vendors send them (SRT,
// WebVTT, TTML), 't' their stored form, 'i' an index of small pictures, 'j' JPEGs one after the other. What was read
// must survive its own stored form, and what is written of it must be read back as the same.
namespace {

using namespace reelway;
using namespace reelway::origin;

void check_sheet(const text::TextSheet& sheet) {
  for (std::size_t i = 0; i < sheet.size(); ++i) {
    const text::Cue cue = sheet.cue(i);
    CHECK(cue.from_ms < cue.to_ms);
    CHECK(i == 0 || sheet.cue(i - 1).from_ms <= cue.from_ms);
  }
  const Bytes stored = sheet.serialize();
  const auto again = text::TextSheet::parse(stored);
  CHECK(again.ok());
  CHECK(again->serialize() == stored);
}

void check_vendors_file(std::string_view file) {
  const auto sheet = text::read_text(file);
  if (!sheet.ok()) return;
  CHECK(sheet->size() > 0);
  check_sheet(*sheet);
  const std::string whole = text::write_webvtt(*sheet);
  if (whole.size() <= text::kTextBytesMax) {
    const auto again = text::read_text(whole);
    CHECK(again.ok());
    CHECK(again->size() == sheet->size());
    CHECK(text::write_webvtt(*again) == whole);
  }
  // Each cue is in some part, and no part is anything but WebVTT.
  std::size_t found = 0;
  const std::uint64_t middle = sheet->cue(sheet->size() / 2).from_ms * 1000ull;
  for (const text::WebvttPart& part : {text::WebvttPart{0, middle, 0}, text::WebvttPart{middle, UINT64_MAX, 0}}) {
    const auto cues = text::read_text(text::write_webvtt(*sheet, part));
    if (cues.ok()) found += cues->size();
  }
  CHECK(found >= sheet->size());
}

void check_images(ByteView bytes) {
  const auto index = hls::parse_image_index(bytes);
  if (!index.ok()) return;
  CHECK(hls::serialize_image_index(*index) == Bytes(bytes.begin(), bytes.end()));
  const hls::ImageTrack track{"images/1", std::make_shared<const hls::ImageIndex>(*index)};
  CHECK(!hls::image_playlist(track).empty() && !hls::image_cues(track).empty());
  CHECK(hls::image_bif(*index).bytes > 0);
}

void check_jpegs(ByteView bytes) {
  std::uint64_t sum = 0;
  JpegCutter cutter([&](const JpegCutter::Image& image) { sum += image.bytes; });
  const bool fits = cutter.add(bytes).ok() && cutter.finish().ok();
  CHECK(sum <= bytes.size());
  CHECK(!fits || sum == bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  switch (data[0]) {
    case 's': check_vendors_file(as_text(bytes)); break;
    case 't':
      if (const auto sheet = text::TextSheet::parse(bytes); sheet.ok()) check_sheet(*sheet);
      break;
    case 'i': check_images(bytes); break;
    default: check_jpegs(bytes);
  }
  return 0;
}
