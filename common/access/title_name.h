#pragma once

#include <string>
#include <string_view>

namespace reelway::access {

// "/films/a.mp4" -> "a.mp4".
std::string_view file_name(std::string_view file);

// "/films/Sintel (2010) 4K.mp4" -> "sintel-2010-4k": the file's name without its ending, as a title id. Empty when
// nothing of the name can stand in one.
std::string derive_title_id(std::string_view file);

}  // namespace reelway::access
