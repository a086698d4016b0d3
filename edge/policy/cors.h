#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/message.h"

namespace reelway::edge {

// Which web pages may read this edge's answers (the Fetch standard's CORS protocol). Origins match exactly; "*" in
// the list admits every origin. The answer always names the one origin that asked, and is never part of a cache key.
class CorsPolicy {
 public:
  explicit CorsPolicy(std::vector<std::string> origins);

  // Header lines, each with its line end, for any answer. Vary: Origin is there whenever the list is not empty, so
  // that a browser does not use an answer made for no origin for a page that needs one.
  std::string response_lines(std::optional<std::string_view> origin) const;
  // Further lines for the answer to a preflight; empty when the origin is not admitted.
  std::string preflight_lines(std::optional<std::string_view> origin) const;

  static bool is_preflight(const http::RequestHead& head);

 private:
  bool admits(std::string_view origin) const;

  std::vector<std::string> origins_;
  bool any_ = false;
};

}  // namespace reelway::edge
