#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/client/http_connection.h"

namespace reelway::origin {

// Calls the origin's work port. Blocking; any number of calls at once, each over a connection of its own.
//   Limits: 5 s to connect; an answer of at most 8 MiB, for which 10 minutes may pass in silence (a part's files are
//   summed before they are accepted); a film may take as long as a byte comes every 60 s.
// Errors: those of the origin's answer, server_unreachable, timed_out, upstream_truncated, upstream_failed.
class WorkClient {
 public:
  WorkClient(std::string base_url, std::string credential)
      : base_url_(std::move(base_url)), credential_(std::move(credential)) {}

  // The answer's JSON; null when it has none (204).
  Result<nlohmann::json> post(const std::string& path, const nlohmann::json& body) const;
  Result<void> put(const std::string& path, ByteView bytes) const;
  // The body in pieces as they come; an error of `take` ends the call and is its result.
  using Take = std::function<Result<void>(ByteView)>;
  Result<void> get(const std::string& path, const Take& take, Patience& patience) const;

 private:
  HttpRequest request(const char* method, const std::string& path) const;

  std::string base_url_;
  std::string credential_;
};

}  // namespace reelway::origin
