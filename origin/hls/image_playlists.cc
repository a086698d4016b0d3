#include "origin/hls/image_playlists.h"

#include <algorithm>
#include <cstdio>

#include "common/base/crc32c.h"
#include "origin/hls/bif.h"

namespace reelway::origin::hls {
namespace {

using Count = unsigned long long;

std::string seconds(std::uint64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%llu.%03llu", static_cast<Count>(ms / 1000), static_cast<Count>(ms % 1000));
  return text;
}

std::string clock_text(std::uint64_t ms) {
  char text[40];
  std::snprintf(text, sizeof text, "%02llu:%02llu:%02llu.%03llu", static_cast<Count>(ms / 3'600'000),
                static_cast<Count>(ms / 60'000 % 60), static_cast<Count>(ms / 1000 % 60),
                static_cast<Count>(ms % 1000));
  return text;
}

std::string size_text(std::uint32_t width, std::uint32_t height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

// When a picture begins to stand for the film; that of the last ends with the film.
std::uint64_t start_ms(const ImageIndex& index, std::uint64_t image) {
  if (image >= index.images.size()) return std::max<std::uint64_t>(index.duration_ms, 1);
  return image * index.interval_ms;
}

std::uint64_t sheet_ms(const ImageIndex& index, std::uint64_t sheet) {
  const std::uint64_t from = start_ms(index, sheet * index.per_sheet());
  const std::uint64_t to = start_ms(index, (sheet + 1) * index.per_sheet());
  return std::max<std::uint64_t>(1, to > from ? to - from : 1);
}

// Bits per second of the sheet that has the most for its time.
std::uint64_t bandwidth(const ImageIndex& index) {
  std::uint64_t peak = 1;
  for (std::size_t n = 0; n < index.sheets.size(); ++n) {
    const std::uint64_t bits = std::uint64_t{index.sheets[n].bytes} * 8 * 1000, ms = sheet_ms(index, n);
    peak = std::max(peak, (bits + ms - 1) / ms);
  }
  return peak;
}

}  // namespace

std::string image_playlist(const ImageTrack& track) {
  const ImageIndex& index = *track.index;
  std::uint64_t longest = 1;
  for (std::size_t n = 0; n < index.sheets.size(); ++n) longest = std::max(longest, sheet_ms(index, n));
  std::string text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:" + std::to_string((longest + 500) / 1000) +
                     "\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-IMAGES-ONLY\n";
  const std::string tiles = "#EXT-X-TILES:RESOLUTION=" + size_text(index.width, index.height) +
                            ",LAYOUT=" + size_text(index.columns, index.rows) +
                            ",DURATION=" + seconds(index.interval_ms) + "\n";
  for (std::size_t n = 0; n < index.sheets.size(); ++n) {
    text += tiles + "#EXTINF:" + seconds(sheet_ms(index, n)) + ",\n" + std::to_string(n) + ".jpg\n";
  }
  return text + "#EXT-X-ENDLIST\n";
}

std::string image_cues(const ImageTrack& track) {
  const ImageIndex& index = *track.index;
  std::string text = "WEBVTT\n";
  for (std::uint32_t n = 0; n < index.images.size(); ++n) {
    const std::uint32_t place = n % index.per_sheet();
    const std::uint64_t from = start_ms(index, n), to = std::max(start_ms(index, n + 1), from + 1);
    text += "\n" + clock_text(from) + " --> " + clock_text(to) + "\n" + std::to_string(n / index.per_sheet()) +
            ".jpg#xywh=" + std::to_string(place % index.columns * index.width) + "," +
            std::to_string(place / index.columns * index.height) + "," + std::to_string(index.width) + "," +
            std::to_string(index.height) + "\n";
  }
  return text;
}

std::string image_stream_lines(const Presentation& presentation, Packaging packaging) {
  const std::string up = packaging == Packaging::cmaf ? "" : "../";
  std::string text;
  for (const ImageTrack& track : presentation.images) {
    text += "#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=" + std::to_string(bandwidth(*track.index)) +
            ",RESOLUTION=" + size_text(track.index->width, track.index->height) + ",CODECS=\"jpeg\",URI=\"" + up +
            track.id + "/media.m3u8\"\n";
  }
  return text;
}

Result<ImageRange> image_sheet(const ImageIndex& index, std::uint32_t sheet) {
  if (sheet >= index.sheets.size()) {
    return Error{ErrorCode::http_not_found, Side::client, false,
                 "sheet " + std::to_string(sheet) + ", there are " + std::to_string(index.sheets.size())};
  }
  ImageRange range{0, index.sheets[sheet].bytes, index.sheets[sheet].crc32c};
  for (std::uint32_t n = 0; n < sheet; ++n) range.offset += index.sheets[n].bytes;
  return range;
}

ImageRange image_bif(const ImageIndex& index) {
  ImageRange range{0, bif_bytes(index), crc32c(bif_head(index))};
  for (const StoredImage& image : index.images) {
    range.crc32c = crc32c_combine(range.crc32c, image.crc32c, image.bytes);
  }
  return range;
}

}  // namespace reelway::origin::hls
