#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

// Small pictures of the film for whoever seeks in it. Pure.

namespace reelway::origin::hls {

// Pictures a film may have: one every 4 s of 24 hours.
inline constexpr std::uint32_t kImagesMax = 21'600;
inline constexpr std::uint32_t kImageSideMax = 1920;
inline constexpr std::uint32_t kSheetSideMax = 10;  // pictures

// A run of bytes that is one JPEG.
struct StoredImage {
  std::uint32_t bytes = 0;
  std::uint32_t crc32c = 0;
};

// Two files hold the pictures of one width: sheets of them, and each by itself as a BIF. Picture n is of
// n * interval_ms, to the nearest key frame.
struct ImageIndex {
  std::uint32_t width = 0, height = 0;  // of one picture, square pixels
  std::uint32_t interval_ms = 0;
  std::uint32_t columns = 0, rows = 0;  // of a sheet; the last sheet's further places are black
  std::uint64_t duration_ms = 0;        // of the film
  std::vector<StoredImage> sheets;      // in the file of sheets, from its beginning, without gaps
  std::vector<StoredImage> images;      // in the BIF, after its head (bif.h)

  std::uint32_t per_sheet() const { return columns * rows; }
};

// docs/formats/thumbnails.md has the stored form: versioned, and ends with a CRC-32C of itself.
Bytes serialize_image_index(const ImageIndex& index);
Result<ImageIndex> parse_image_index(ByteView bytes);  // stored_data_corrupt

struct ImageTrack {
  std::string id;  // "images/320"
  std::shared_ptr<const ImageIndex> index;
};

}  // namespace reelway::origin::hls
