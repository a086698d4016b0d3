#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/error_codes.h"
#include "common/base/result.h"
#include "origin/client/patience.h"

namespace reelway::origin {

// What a request sends. `read` fills all of `out` from `offset`; a body may be read more than once.
struct HttpBody {
  std::uint64_t size_bytes = 0;
  std::function<Result<void>(std::uint64_t offset, std::span<std::uint8_t> out)> read;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // as it goes out: encoded, with its query
  std::vector<std::pair<std::string, std::string>> headers;
  HttpBody body;  // for PUT and POST
};

struct HttpAnswer {
  long status = 0;
  std::map<std::string, std::string, std::less<>> headers;  // names in lower case; of one name the last
  std::string body;                                         // but for what went to the sink

  std::string header(std::string_view name) const;                   // empty without it
  std::optional<std::uint64_t> number(std::string_view name) const;  // of a header that is a decimal number
};

// Where the body of a 2xx answer goes, if not into HttpAnswer::body. An error ends the exchange with it.
struct HttpSink {
  std::function<Result<void>(const HttpAnswer& head)> begin;  // before the first byte, also of an empty body
  std::function<Result<void>(ByteView bytes)> take;
};

struct HttpLimits {
  std::chrono::milliseconds connect{10'000};
  std::chrono::seconds silence{30};       // without a byte in either direction: the first byte and every further one
  std::size_t body_bytes_max = 4u << 20;  // of what is not for the sink
};

// What holds for every exchange with a server.
struct HttpTerms {
  std::string ca_file;  // authorities that may have signed the server's certificate; empty: the system's
  HttpLimits limits;
  // How the errors that depend on whom we talk to are called.
  ErrorCode unreachable = ErrorCode::upstream_unreachable;
  ErrorCode malformed = ErrorCode::upstream_failed;
  // Asked about the very address of each connection before it is made, whatever a name was resolved to: an error keeps
  // that address from being used, and is the exchange's when there is no other. Null: any address.
  std::function<Result<void>(const sockaddr& address)> may_connect;
};

// One exchange after another, over connections that are kept between them. Blocking. Certificates are
// verified. Redirects are not followed: a request, signed or with a credential, is meant for one server. Proxies from
// the environment are not used. One thread at a time.
class HttpConnection {
 public:
  explicit HttpConnection(HttpTerms terms);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Any status is an answer. Errors, with `retry` where the same request may succeed:
  //   HttpTerms::unreachable         no connection, or none that can be trusted (then without retry)
  //   timed_out, upstream_truncated  the exchange began and broke off
  //   HttpTerms::malformed           the body is too long, or the answer no HTTP
  //   shutting_down                  patience was given up
  //   and what sink or body said
  // A detail names scheme, host and path, no query.
  Result<HttpAnswer> exchange(const HttpRequest& request, Patience& patience, const HttpSink* sink = nullptr);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
