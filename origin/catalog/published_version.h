#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "origin/catalog/catalog.h"

namespace reelway::origin {

// Reads and parses the indexes of a published version from its folder; `name` is its title's. not_found_on_disk,
// index_malformed, stored_data_corrupt when a track file has another size than its index says.
Result<std::shared_ptr<const PublishedVersion>> load_published(const VersionRecord& record, const std::string& name,
                                                               const std::string& folder);

// A whole file that Reelway wrote itself, up to `bytes_max`.
Result<Bytes> read_whole_file(const std::string& path, std::uint64_t bytes_max);

}  // namespace reelway::origin
