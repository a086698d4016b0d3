#pragma once

#include <string>

namespace reelway {

// docs/reference/errors.md: the table of error_codes.h as Markdown.
std::string error_reference();

}  // namespace reelway
