#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/json_fields.h"
#include "common/base/result.h"

namespace reelway::cli {

// Reads a server's error body into an Error of the one table, so that it is shown as if it had happened here.
// A code that this release does not know becomes upstream_failed with the server's own words in the detail.
// `code_field` is Reelway-Error, which stands for the body where an answer has none.
Error server_error(long status, const std::string& body, const std::string& where, const std::string& code_field = {});

// Calls one server's JSON API with its credential. Blocking; one call at a time.
//   Limits: 5 s to connect, 30 s for an answer of at most 16 MiB; an upload may take as long as bytes move.
//   Proxies from the environment are not used: they would be handed the credential.
class HttpClient {
 public:
  // A part of a file, as the body of a request. It must still be there when its bytes are read.
  struct FilePart {
    std::string file;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::function<void(std::uint64_t sent_bytes)> progress;  // of this part; may be empty
  };
  using Headers = std::map<std::string, std::string>;  // of an answer: names in lower case

  HttpClient(std::string base_url, std::string credential);

  Result<Json> get(const std::string& path) const;
  Result<std::string> get_bytes(const std::string& path) const;  // whatever they are, at most 16 MiB
  Result<Json> post(const std::string& path, const Json& body) const;
  // A call that speaks in header fields ("Name: value"), as those of tus do: what it answers in them.
  Result<Headers> call(const std::string& method, const std::string& path, const std::vector<std::string>& headers,
                       const FilePart* body = nullptr) const;

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
