#pragma once

#include <string_view>

namespace reelway {

// The release that every program reports; the same as in CMakeLists.txt, which a test compares.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace reelway
