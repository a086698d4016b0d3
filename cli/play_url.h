#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/json_fields.h"
#include "common/base/result.h"

namespace reelway::cli {

// "http://host:port/t/..." in two parts; `base` is empty for a bare path. The query and fragment are cut off.
struct UrlParts {
  std::string base;
  std::string path;
};
Result<UrlParts> split_url(std::string_view url);

// What can be said of a play URL without asking anyone: the token's fields, and its verdict but for the signature,
// which only the holders of the public keys can judge, and the rental, whose record edges hold. Fields: object_path,
// token {title, kid, view, ...}, verdict ("ok" or "refused"), and error {...} when refused.
Json local_verdict(std::string_view path, std::int64_t now_s);

}  // namespace reelway::cli
