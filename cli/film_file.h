#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace reelway::cli {

// Size and time of change: the same file has the same, for an upload to be found again. Of a file that film_size()
// took.
Result<std::string> file_fingerprint(const std::string& file);

// Size of a regular file that can be read; an error that names it otherwise.
Result<std::uint64_t> film_size(const std::string& file);

}  // namespace reelway::cli
