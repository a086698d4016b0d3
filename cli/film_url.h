#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"

namespace reelway::cli {

// A URL of http or https at which one film is.
struct FilmUrl {
  std::string text;   // as it was given; its query or its user may be a secret
  std::string shown;  // without those
  std::string title;  // the title id that its last part gives; may be empty
};

// Nothing for a text that begins otherwise. "-" reads the URL from standard input, so that what is secret in it stands
// in no list of processes. usage.
Result<std::optional<FilmUrl>> film_url(const std::string& text);

}  // namespace reelway::cli
