#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace reelway::cli {

// "/films/Sintel (2010) 4K.mp4" -> "sintel-2010-4k": the file's name without its ending, as a title id. Empty when
// nothing of the name can stand in one.
std::string derive_title_id(std::string_view file);

// "/films/a.mp4" -> "a.mp4".
std::string_view file_name(std::string_view file);

// Size and time of change: the same file has the same, for an upload to be found again. Of a file that film_size()
// took.
Result<std::string> file_fingerprint(const std::string& file);

// Size of a regular file that can be read; an error that names it otherwise.
Result<std::uint64_t> film_size(const std::string& file);

}  // namespace reelway::cli
