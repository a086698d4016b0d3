#pragma once

#include <string>
#include <string_view>

namespace reelway::origin::text {

// What a viewer's menu calls a language, in that language: "English", "Português (Brasil)", "Español (CO)". The tag
// (BCP 47) itself for languages that are not known here.
std::string language_name(std::string_view tag);

}  // namespace reelway::origin::text
