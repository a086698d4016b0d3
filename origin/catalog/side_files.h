#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "origin/catalog/catalog.h"

namespace reelway::origin {

// Reads what a version has beside picture and sound: subtitles whole, of small pictures their indexes. The result is
// the CRC-32C of what was read, to go on from `crc`. not_found_on_disk, io_failed, stored_data_corrupt.
Result<std::uint32_t> load_side_files(const VersionRecord& record, const std::string& folder, std::uint32_t crc,
                                      PublishedVersion& version);

}  // namespace reelway::origin
