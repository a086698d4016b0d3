#include "origin/ingest/web_film.h"

#include <charconv>

#include "common/base/check.h"
#include "origin/client/address_rule.h"

namespace reelway::origin {
namespace {

constexpr int kRedirectsMax = 5;
constexpr std::size_t kIdleConnectionsMax = 8;

Error refused(std::string detail) {
  return {ErrorCode::url_refused, Side::client, false, std::move(detail)};
}

Error failed(const WebUrl& url, std::string_view what) {
  return {ErrorCode::url_failed, Side::upstream, false, url.shown + ": " + std::string(what)};
}

Error changed(const WebUrl& url, std::string_view what) {
  return {ErrorCode::url_changed, Side::upstream, false, url.shown + ": " + std::string(what)};
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Error error_of(const WebUrl& url, long status) {
  const std::string said = "the server answered with status " + std::to_string(status);
  if (status == 412 || status == 416) return changed(url, said + ": what we asked for is not there any more");
  Error error = failed(url, said);
  if (status == 401 || status == 403) error.detail += ": a signed URL may have run out, or it wants a user";
  error.retry = status == 408 || status == 425 || status == 429 || status >= 500;
  return error;
}

// Of a weak validator two contents may be called the same, so it pins nothing.
std::string strong_etag(const HttpAnswer& answer) {
  const std::string etag = answer.header("etag");
  return etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"') ? etag : "";
}

// The size in "bytes 0-0/12345"; nothing when it is not told.
std::optional<std::uint64_t> whole_size(const std::string& content_range, std::string_view place) {
  if (!content_range.starts_with(place)) return std::nullopt;
  const std::string_view digits = std::string_view(content_range).substr(place.size());
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || failure != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// A body in a coding is not the film's bytes, and its ranges are ranges of something else.
Result<void> check_coding(const WebUrl& url, const HttpAnswer& answer) {
  const std::string coding = answer.header("content-encoding");
  if (coding.empty() || coding == "identity") return {};
  return failed(url, "the server sends it in a content coding, though none was asked for");
}

Result<void> check_same(const WebUrl& url, const WebHead& head, const HttpAnswer& answer) {
  REELWAY_TRY(check_coding(url, answer));
  if (!head.etag.empty() && answer.header("etag") != head.etag) return changed(url, "its ETag is another now");
  return {};
}

Result<void> check_range(const WebUrl& url, const WebHead& head, std::uint64_t offset, std::uint64_t count,
                         const HttpAnswer& answer) {
  REELWAY_TRY(check_same(url, head, answer));
  if (answer.status != 206) return failed(url, "a request for a range was answered without one");
  const std::string place = "bytes " + std::to_string(offset) + "-" + std::to_string(offset + count - 1) + "/";
  const auto size = whole_size(answer.header("content-range"), place);
  if (!size) return failed(url, "the answer's Content-Range is not the range that was asked for");
  if (size != head.size_bytes) return changed(url, "its size is another now");
  return {};
}

Result<void> check_whole(const WebUrl& url, const WebHead& head, const HttpAnswer& answer) {
  REELWAY_TRY(check_same(url, head, answer));
  if (answer.status != 200) return failed(url, "the server gave a part that was not asked for");
  const auto size = answer.number("content-length");
  if (head.size_bytes && size && size != head.size_bytes) return changed(url, "its size is another now");
  return {};
}

}  // namespace

WebFilms::WebFilms(WebRules rules, Random& random, HttpLimits http, RetryLimits retry)
    : rules_(std::move(rules)), random_(random), http_(http), retry_(retry) {}

Result<void> WebFilms::check_host(const WebUrl& url) const {
  if (host_matches(url.host, rules_.hosts)) return {};
  return refused("the host " + url.host + " is not among imports.url_hosts");
}

Result<WebUrl> WebFilms::allowed(const std::string& text) const {
  Result<WebUrl> url = parse_web_url(text);
  if (url.ok()) REELWAY_TRY(check_host(*url));
  return url;
}

std::unique_ptr<HttpConnection> WebFilms::take_connection() {
  {
    const std::lock_guard hold(mutex_);
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  HttpTerms terms{rules_.ca_file, http_, ErrorCode::url_unreachable, ErrorCode::url_failed, {}};
  if (!rules_.private_addresses) {
    terms.may_connect = [](const sockaddr& address) -> Result<void> {
      if (is_public_address(address)) return {};
      return refused("the host leads to " + address_text(address) +
                     ", which is no public address; imports.url_private allows those");
    };
  }
  return std::make_unique<HttpConnection>(std::move(terms));
}

void WebFilms::keep_connection(std::unique_ptr<HttpConnection> connection) {
  const std::lock_guard hold(mutex_);
  if (idle_.size() < kIdleConnectionsMax) idle_.push_back(std::move(connection));
}

Result<WebUrl> WebFilms::next_hop(const WebUrl& from, const HttpAnswer& answer) const {
  const std::string location = answer.header("location");
  if (location.empty()) return failed(from, "it redirects to nowhere");
  Result<WebUrl> to = redirected(from, location);
  const auto of_redirect = [&](const Error& error) {
    return Error{error.code, error.side, error.retry, from.shown + " redirects: " + error.detail};
  };
  if (!to.ok()) return of_redirect(to.error());
  if (from.scheme == "https" && to->scheme == "http") return of_redirect(refused("from https to http"));
  if (const Result<void> known = check_host(*to); !known.ok()) return of_redirect(known.error());
  return to;
}

// From the URL itself each time: what a redirect leads to may be valid for a moment only.
Result<HttpAnswer> WebFilms::follow(const WebUrl& first, const Headers& headers, Patience& patience,
                                    const HttpSink& sink) {
  auto connection = take_connection();
  WebUrl url = first;
  for (int hops = 0;; ++hops) {
    HttpRequest request;
    request.url = url.request;
    request.headers = headers;
    if (!url.authorization.empty()) request.headers.emplace_back("Authorization", url.authorization);
    Result<HttpAnswer> answer = connection->exchange(request, patience, &sink);
    if (!answer.ok() || !is_redirect(answer->status)) {
      keep_connection(std::move(connection));
      return answer;
    }
    if (hops == kRedirectsMax) {
      return refused(first.shown + " redirects more than " + std::to_string(kRedirectsMax) + " times");
    }
    Result<WebUrl> next = next_hop(url, *answer);
    if (!next.ok()) return std::move(next).error();
    url = std::move(next).value();
  }
}

WebFilms::Attempt WebFilms::attempt(const WebUrl& url, const Headers& headers, Patience& patience,
                                    const HttpSink& sink) {
  Result<HttpAnswer> answer = follow(url, headers, patience, sink);
  if (!answer.ok() || (answer->status >= 200 && answer->status < 300)) return {std::move(answer)};
  return {error_of(url, answer->status), retry_after(*answer, retry_)};
}

Result<WebHead> WebFilms::head(const WebUrl& url, Patience& patience) {
  for (Retries retries(retry_, random_, patience);;) {
    std::optional<WebHead> head;
    HttpSink sink;
    sink.begin = [&](const HttpAnswer& answer) -> Result<void> {
      REELWAY_TRY(check_coding(url, answer));
      head.emplace();
      head->etag = strong_etag(answer);
      if (answer.status == 206) {
        head->size_bytes = whole_size(answer.header("content-range"), "bytes 0-0/");
        head->ranges = head->size_bytes.has_value();
        return {};
      }
      head->size_bytes = answer.number("content-length");
      return Error{ErrorCode::shutting_down, Side::self, false, "the head is enough"};  // of a whole film
    };
    sink.take = [](ByteView) -> Result<void> { return {}; };
    Attempt made = attempt(url, {{"Range", "bytes=0-0"}}, patience, sink);
    if (head) return *head;
    if (made.answer.ok()) return failed(url, "the answer has no head");
    if (made.answer.error().code == ErrorCode::url_changed) return failed(url, "it has no first byte: it is empty");
    if (!retries.again(made.answer.error(), made.pause)) return made.answer.error();
  }
}

Result<void> WebFilms::read(const WebUrl& url, const WebHead& head, std::uint64_t offset, std::uint64_t count,
                            const Take& take, Patience& patience) {
  CHECK(head.ranges && head.size_bytes && count > 0 && offset < *head.size_bytes && count <= *head.size_bytes - offset);
  for (Retries retries(retry_, random_, patience);;) {
    const std::uint64_t before = count;
    HttpSink sink;
    sink.begin = [&](const HttpAnswer& answer) { return check_range(url, head, offset, count, answer); };
    sink.take = [&](ByteView bytes) -> Result<void> {
      if (bytes.size() > count) return failed(url, "more bytes came than were asked for");
      REELWAY_TRY(take(bytes));
      offset += bytes.size();
      count -= bytes.size();
      return {};
    };
    Headers headers{{"Range", "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + count - 1)}};
    if (!head.etag.empty()) headers.emplace_back("If-Match", head.etag);
    const Attempt made = attempt(url, headers, patience, sink);
    if (count == 0) return {};
    const Error error = made.answer.ok() ? Error{ErrorCode::upstream_truncated, Side::upstream, true,
                                                 url.shown + ": the answer ended early"}
                                         : made.answer.error();
    if (count < before) retries.progress();
    if (!retries.again(error, made.pause)) return error;
  }
}

Result<void> WebFilms::read_whole(const WebUrl& url, const WebHead& head, const std::function<Result<void>()>& restart,
                                  const Take& take, Patience& patience) {
  for (Retries retries(retry_, random_, patience);;) {
    std::uint64_t came = 0;
    HttpSink sink;
    sink.begin = [&](const HttpAnswer& answer) -> Result<void> {
      REELWAY_TRY(check_whole(url, head, answer));
      return restart();
    };
    sink.take = [&](ByteView bytes) -> Result<void> {
      came += bytes.size();
      if (head.size_bytes && came > *head.size_bytes) return changed(url, "it is longer now");
      return take(bytes);
    };
    const Attempt made = attempt(url, {}, patience, sink);
    if (made.answer.ok() && (!head.size_bytes || came == *head.size_bytes)) return {};
    const Error error = made.answer.ok() ? Error{ErrorCode::upstream_truncated, Side::upstream, true,
                                                 url.shown + ": the answer ended early"}
                                         : made.answer.error();
    if (!retries.again(error, made.pause)) return error;
  }
}

}  // namespace reelway::origin
