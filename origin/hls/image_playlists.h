#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "origin/hls/presentation.h"

// What tells players where the small pictures are: image playlists, which Roku, Shaka Player and others read (Roku's
// and partners' HLS extension for images; EXT-X-IMAGES-ONLY is the tag by which all others know to leave them), and
// WebVTT with places on sheets, which players in web pages read.

namespace reelway::origin::hls {

std::string image_playlist(const ImageTrack& track);
std::string image_cues(const ImageTrack& track);

// Lines of a multivariant playlist; none without pictures. They lie in no packaging's folder.
std::string image_stream_lines(const Presentation& presentation, Packaging packaging = Packaging::cmaf);

// Where the bytes of a sheet, or of the whole BIF, are in their file. http_not_found past the last sheet.
struct ImageRange {
  std::uint64_t offset = 0, bytes = 0;
  std::uint32_t crc32c = 0;
};
Result<ImageRange> image_sheet(const ImageIndex& index, std::uint32_t sheet);
ImageRange image_bif(const ImageIndex& index);

}  // namespace reelway::origin::hls
