// libcurl's easy interface: one handle a connection. libcurl calls back from within perform(), on the calling thread;
// an error of a callback is kept in the exchange and takes precedence over what libcurl makes of it.

#include "origin/client/http_connection.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "common/base/check.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kHeaderBytesMax = 64 * 1024;
constexpr std::size_t kHeadersMax = 200;

struct CurlFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, CurlFree>;

// libcurl's process-wide state, made before the first handle and kept until the process ends.
void ready_library() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  CHECK(ready);
}

Headers header_list(const HttpRequest& request) {
  Headers list;
  const auto add = [&list](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    CHECK(longer != nullptr);
    (void)list.release();
    list.reset(longer);
  };
  // A field without a value would be taken out; a ';' in place of the ':' sends it empty.
  for (const auto& [name, value] : request.headers) add(value.empty() ? name + ";" : name + ": " + value);
  // libcurl's own that nobody asked for; a signed request has none that is not signed.
  for (const char* absent : {"Expect:", "Accept:", "Content-Type:"}) {
    const std::string_view name(absent, std::string_view(absent).size() - 1);
    const bool asked = std::any_of(request.headers.begin(), request.headers.end(),
                                   [&](const auto& header) { return header.first == name; });
    if (!asked) add(absent);
  }
  return list;
}

}  // namespace

std::string HttpAnswer::header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::optional<std::uint64_t> HttpAnswer::number(std::string_view name) const {
  const std::string text = header(name);
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct HttpConnection::State {
  struct Exchange {
    const HttpRequest& request;
    Patience& patience;
    const HttpSink* sink;
    const HttpTerms& terms;
    HttpAnswer answer;
    std::uint64_t sent = 0;
    std::size_t header_bytes = 0;
    bool begun = false;
    std::optional<Error> error;
    std::optional<Error> address_refused;  // the first one; another address may do

    bool fail(Error why) {
      if (!error) error = std::move(why);
      return false;
    }
    bool sinks() const { return sink != nullptr && answer.status >= 200 && answer.status < 300; }
    bool begin() {
      if (begun) return !error;
      begun = true;
      if (!sinks()) return true;
      const Result<void> taken = sink->begin(answer);
      return taken.ok() || fail(taken.error());
    }
    bool take(ByteView bytes) {
      if (!begin()) return false;
      if (sinks()) {
        const Result<void> taken = sink->take(bytes);
        return taken.ok() || fail(taken.error());
      }
      if (answer.body.size() + bytes.size() > terms.limits.body_bytes_max) {
        return fail({terms.malformed, Side::upstream, false,
                     "the answer has more than " + std::to_string(terms.limits.body_bytes_max) + " bytes"});
      }
      answer.body.append(as_text(bytes));
      return true;
    }
    bool header_line(std::string_view line);
    curl_socket_t open_socket(const curl_sockaddr& address);
  };

  template <class Value>
  void set(CURLoption option, Value value) {
    CHECK(curl_easy_setopt(handle.get(), option, value) == CURLE_OK);
  }

  void prepare(Exchange& exchange, curl_slist* headers);
  void prepare_body(Exchange& exchange);
  Error failure(CURLcode code, const Exchange& exchange) const;

  std::unique_ptr<CURL, CurlFree> handle;
  HttpTerms terms;
  char reason[CURL_ERROR_SIZE] = {};
};

bool HttpConnection::State::Exchange::header_line(std::string_view line) {
  header_bytes += line.size();
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // also after a 1xx: what came before does not count
    answer.headers.clear();
    const auto blank = line.find(' ');
    answer.status = blank == std::string_view::npos ? 0 : std::atol(std::string(line.substr(blank + 1, 3)).c_str());
    return true;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  if (header_bytes > kHeaderBytesMax || answer.headers.size() == kHeadersMax) {
    return fail({terms.malformed, Side::upstream, false, "the head of the answer is too long"});
  }
  std::string name(line.substr(0, colon));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  answer.headers[name] = value;
  return true;
}

curl_socket_t HttpConnection::State::Exchange::open_socket(const curl_sockaddr& address) {
  const Result<void> allowed = terms.may_connect(address.addr);
  if (allowed.ok()) return ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  if (!address_refused) address_refused = allowed.error();
  return CURL_SOCKET_BAD;
}

void HttpConnection::State::prepare(Exchange& exchange, curl_slist* headers) {
  const HttpRequest& request = exchange.request;
  curl_easy_reset(handle.get());  // keeps the connection
  reason[0] = '\0';
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_USERAGENT, "reelway");
  set(CURLOPT_ERRORBUFFER, reason);
  set(CURLOPT_HTTPHEADER, headers);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(terms.limits.connect.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(terms.limits.silence.count()));
  // A wish: libcurl refuses it to a handle that still has the buffer of an exchange that failed early.
  (void)curl_easy_setopt(handle.get(), CURLOPT_BUFFERSIZE, 256L * 1024);
  if (!terms.ca_file.empty()) set(CURLOPT_CAINFO, terms.ca_file.c_str());

  set(CURLOPT_HEADERDATA, &exchange);
  set(
      CURLOPT_HEADERFUNCTION, +[](char* data, std::size_t size, std::size_t count, void* to) -> std::size_t {
        return static_cast<State::Exchange*>(to)->header_line({data, size * count}) ? size * count : 0;
      });
  set(CURLOPT_WRITEDATA, &exchange);
  set(
      CURLOPT_WRITEFUNCTION, +[](char* data, std::size_t size, std::size_t count, void* to) -> std::size_t {
        return static_cast<State::Exchange*>(to)->take(as_bytes({data, size * count})) ? size * count : 0;
      });
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFODATA, &exchange);
  set(
      CURLOPT_XFERINFOFUNCTION, +[](void* of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) -> int {
        return static_cast<State::Exchange*>(of)->patience.given_up() ? 1 : 0;
      });

  if (terms.may_connect) {
    set(CURLOPT_OPENSOCKETDATA, &exchange);
    set(
        CURLOPT_OPENSOCKETFUNCTION, +[](void* of, curlsocktype, curl_sockaddr* address) -> curl_socket_t {
          return static_cast<State::Exchange*>(of)->open_socket(*address);
        });
  }

  if (request.method == "HEAD") set(CURLOPT_NOBODY, 1L);
  if (request.method == "PUT" || request.method == "POST") prepare_body(exchange);
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void HttpConnection::State::prepare_body(Exchange& exchange) {
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(exchange.request.body.size_bytes));
  set(CURLOPT_READDATA, &exchange);
  set(
      CURLOPT_READFUNCTION, +[](char* data, std::size_t size, std::size_t count, void* from) -> std::size_t {
        auto& running = *static_cast<State::Exchange*>(from);
        const HttpBody& body = running.request.body;
        const auto part =
            static_cast<std::size_t>(std::min<std::uint64_t>(size * count, body.size_bytes - running.sent));
        if (part == 0) return 0;
        const auto got = body.read(running.sent, {reinterpret_cast<std::uint8_t*>(data), part});
        if (!got.ok()) {
          running.fail(got.error());
          return CURL_READFUNC_ABORT;
        }
        running.sent += part;
        return part;
      });
  set(CURLOPT_SEEKDATA, &exchange);
  set(
      CURLOPT_SEEKFUNCTION, +[](void* of, curl_off_t offset, int) -> int {
        static_cast<State::Exchange*>(of)->sent = static_cast<std::uint64_t>(offset);
        return CURL_SEEKFUNC_OK;
      });
}

Error HttpConnection::State::failure(CURLcode code, const Exchange& exchange) const {
  const std::string& url = exchange.request.url;
  const std::string words = reason[0] != '\0' ? reason : curl_easy_strerror(code);
  const std::string detail = exchange.request.method + " " + url.substr(0, url.find('?')) + ": " + words;
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK: return {ErrorCode::shutting_down, Side::self, true, detail};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      if (exchange.address_refused) return *exchange.address_refused;
      return {terms.unreachable, Side::upstream, true, detail};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_URL_MALFORMAT: return {terms.unreachable, Side::upstream, false, detail};
    case CURLE_OPERATION_TIMEDOUT: {
      // Before the connection stood, nobody was there; after it, somebody was slow.
      curl_off_t connected_us = 0;
      curl_easy_getinfo(handle.get(), CURLINFO_PRETRANSFER_TIME_T, &connected_us);
      const bool reached = connected_us > 0;
      return {reached ? ErrorCode::timed_out : terms.unreachable, Side::upstream, true, detail};
    }
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE: return {ErrorCode::upstream_truncated, Side::upstream, true, detail};
    default: return {terms.malformed, Side::upstream, false, detail};
  }
}

HttpConnection::HttpConnection(HttpTerms terms) : state_(std::make_unique<State>()) {
  ready_library();
  state_->handle.reset(curl_easy_init());
  CHECK(state_->handle != nullptr);
  state_->terms = std::move(terms);
}
HttpConnection::~HttpConnection() = default;

Result<HttpAnswer> HttpConnection::exchange(const HttpRequest& request, Patience& patience, const HttpSink* sink) {
  if (patience.given_up()) return Error{ErrorCode::shutting_down, Side::self, true, "the transfer was given up"};
  State::Exchange exchange{request, patience, sink, state_->terms, {}, 0, 0, false, {}, {}};
  const Headers headers = header_list(request);
  state_->prepare(exchange, headers.get());
  const CURLcode code = curl_easy_perform(state_->handle.get());
  if (exchange.error) return *exchange.error;
  // A server that refuses a body may answer and close before it has read all: its answer says more than the broken
  // pipe.
  const bool answered_early = code == CURLE_SEND_ERROR && exchange.answer.status >= 400;
  if (code != CURLE_OK && !answered_early) return state_->failure(code, exchange);
  if (!exchange.begin()) return *exchange.error;
  return std::move(exchange.answer);
}

}  // namespace reelway::origin
