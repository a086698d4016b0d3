#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/hls/presentation.h"
#include "origin/mp4/unit_table.h"

namespace reelway::origin {

// A file of small pictures, and what of it was asked for.
struct ImageSource {
  std::string path;
  std::uint64_t file_bytes = 0;
  std::shared_ptr<const mp4::UnitTable> units;  // one a picture, of the whole file
  std::uint64_t offset = 0, bytes = 0;
  std::uint32_t crc32c = 0;
};

// Of presentation.images[position]; the resource is a sheet or a BIF. http_not_found past the last sheet.
Result<ImageSource> image_source(const PublishedVersion& version, std::size_t position, const hls::Resource& resource);

}  // namespace reelway::origin
