#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace reelway::origin {

// Calls the origin's work port. Blocking; any number of calls at once.
//   Limits: 5 s to connect; 30 s for an answer of at most 8 MiB (a part's files are summed before they are accepted:
//   10 minutes); a film may take as long as bytes move.
// Errors: those of the origin's answer, server_unreachable, timed_out, upstream_truncated, upstream_failed.
class WorkClient {
 public:
  WorkClient(std::string base_url, std::string credential)
      : base_url_(std::move(base_url)), credential_(std::move(credential)) {}

  // The answer's JSON; null when it has none (204).
  Result<nlohmann::json> post(const std::string& path, const nlohmann::json& body) const;
  Result<void> put(const std::string& path, ByteView bytes) const;
  // The body in pieces as they come; an error of `take` ends the call and is its result. `stop` is asked about once a
  // second: true ends it with shutting_down.
  using Take = std::function<Result<void>(ByteView)>;
  Result<void> get(const std::string& path, const Take& take, const std::function<bool()>& stop) const;

 private:
  std::string base_url_;
  std::string credential_;
};

}  // namespace reelway::origin
