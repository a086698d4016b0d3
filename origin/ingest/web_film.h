#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/client/retries.h"
#include "origin/client/web_url.h"

namespace reelway::origin {

// Where the origin may go for a film that a URL names. Whoever may begin an import chooses the URL, so without these
// rules the origin would reach for them what only it can reach.
struct WebRules {
  std::vector<std::string> hosts;  // patterns of host_matches(); none: nothing is fetched
  bool private_addresses = false;  // whether a host may lead to what is_public_address() denies
  std::string ca_file;             // empty: the system's authorities
};

// What the server says of a film. Of that which it gives without a length, or anew each time, only the whole can be
// had, in one go.
struct WebHead {
  std::optional<std::uint64_t> size_bytes;
  std::string etag;     // a strong one, which pins the content (RFC 9110, section 8.8.1); else empty
  bool ranges = false;  // whether parts can be asked for; then the size is known
};

// Films at URLs of http and https. Redirects are followed, up to 5, to hosts that the rules allow and never from https
// to http; a user in the URL is told to the first host only. What may be repeated is. Blocking; thread-safe.
//
// Errors of every call: url_refused, url_unreachable, url_failed, url_changed, timed_out, upstream_truncated,
// shutting_down. No detail has a URL's query or user.
class WebFilms {
 public:
  using Take = std::function<Result<void>(ByteView bytes)>;

  // `random` outlives it.
  WebFilms(WebRules rules, Random& random, HttpLimits http = {}, RetryLimits retry = {});

  // The URL as the rules let it pass: url_refused.
  Result<WebUrl> allowed(const std::string& url) const;
  // Asks for the first byte, which shows more than HEAD does and passes where a URL is signed for GET.
  Result<WebHead> head(const WebUrl& url, Patience& patience);

  // Gives bytes `offset` to `offset` + `count`, in order; after an interruption it goes on with the first byte that has
  // not been taken. `head` has ranges. url_changed when what is there now is not what head() told of.
  Result<void> read(const WebUrl& url, const WebHead& head, std::uint64_t offset, std::uint64_t count, const Take& take,
                    Patience& patience);
  // Gives all bytes; `restart` before the first one, each time anew when an interruption made it begin again.
  Result<void> read_whole(const WebUrl& url, const WebHead& head, const std::function<Result<void>()>& restart,
                          const Take& take, Patience& patience);

 private:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  struct Attempt {
    Result<HttpAnswer> answer;  // of 2xx
    std::chrono::milliseconds pause{0};
  };
  Attempt attempt(const WebUrl& url, const Headers& headers, Patience& patience, const HttpSink& sink);
  Result<HttpAnswer> follow(const WebUrl& url, const Headers& headers, Patience& patience, const HttpSink& sink);
  Result<WebUrl> next_hop(const WebUrl& from, const HttpAnswer& answer) const;
  Result<void> check_host(const WebUrl& url) const;
  std::unique_ptr<HttpConnection> take_connection();
  void keep_connection(std::unique_ptr<HttpConnection> connection);

  const WebRules rules_;
  Random& random_;
  const HttpLimits http_;
  const RetryLimits retry_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<HttpConnection>> idle_;  // guarded by mutex_
};

}  // namespace reelway::origin
