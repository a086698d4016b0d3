#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cli/json_fields.h"
#include "common/base/result.h"

namespace reelway::cli {

// Reads a server's error body into an Error of the one table, so that it is shown as if it had happened here.
// A code that this release does not know becomes upstream_failed with the server's own words in the detail.
Error server_error(long status, const std::string& body, const std::string& where);

// Calls one server's JSON API with its credential. Blocking; one call at a time.
//   Limits: 5 s to connect, 30 s for an answer of at most 16 MiB; an upload may take as long as bytes move.
//   Proxies from the environment are not used: they would be handed the credential.
class HttpClient {
 public:
  using UploadProgress = std::function<void(std::uint64_t sent_bytes)>;

  HttpClient(std::string base_url, std::string credential);

  Result<Json> get(const std::string& path) const;
  Result<Json> post(const std::string& path, const Json& body) const;
  // PUTs a whole file. The size must still be the file's when its bytes are read.
  Result<Json> put_file(const std::string& path, const std::string& file, std::uint64_t size_bytes,
                        const UploadProgress& progress) const;

 private:
  std::string base_url_;
  std::string credential_;
};

// libcurl's process-wide state; one, made in main before any client.
class HttpLibrary {
 public:
  HttpLibrary();
  ~HttpLibrary();
  HttpLibrary(const HttpLibrary&) = delete;
  HttpLibrary& operator=(const HttpLibrary&) = delete;
};

}  // namespace reelway::cli
