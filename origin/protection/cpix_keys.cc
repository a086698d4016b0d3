#include "origin/protection/cpix_keys.h"

#include <openssl/evp.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "common/base/check.h"
#include "origin/client/retries.h"

namespace reelway::origin {
namespace {

constexpr RetryLimits kRetries{3, std::chrono::milliseconds(200), std::chrono::milliseconds(2'000),
                               std::chrono::milliseconds(3'000)};
constexpr std::chrono::milliseconds kWatchStep{20};
constexpr std::size_t kQuotedMax = 200;

HttpTerms terms_of(const CpixServer& server) {
  HttpTerms terms;
  terms.ca_file = server.ca_file;
  terms.limits.connect = std::min<std::chrono::milliseconds>(terms.limits.connect, server.time_limit);
  terms.limits.silence = std::chrono::ceil<std::chrono::seconds>(server.time_limit);
  terms.limits.body_bytes_max = kCpixBytesMax;
  terms.unreachable = ErrorCode::key_provider_unavailable;
  terms.malformed = ErrorCode::key_provider_unavailable;
  return terms;
}

// Gives up a patience when the time is over, or when the outer one is given up.
class TimeLimit {
 public:
  TimeLimit(std::chrono::milliseconds limit, Patience& outer)
      : thread_([this, limit, &outer] {
          const auto end = std::chrono::steady_clock::now() + limit;
          while (!done_ && std::chrono::steady_clock::now() < end && outer.wait(kWatchStep)) {
          }
          if (!done_) inner_.give_up();
        }) {}
  ~TimeLimit() {
    done_ = true;
    thread_.join();
  }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;
  Patience& patience() { return inner_; }

 private:
  Patience inner_;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

HttpBody body_of(const std::string& text) {
  return {text.size(), [&text](std::uint64_t offset, std::span<std::uint8_t> out) -> Result<void> {
            std::memcpy(out.data(), text.data() + offset, out.size());
            return {};
          }};
}

// For a person: printable, and cut at a length.
std::string quoted(const std::string& text) {
  std::string out = text.substr(0, kQuotedMax);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, ' ');
  return out;
}

Error refusal(const HttpAnswer& answer) {
  const bool passing = answer.status >= 500 || answer.status == 429 || answer.status == 408;
  std::string detail = "it answered " + std::to_string(answer.status);
  if (!answer.body.empty()) detail += ": " + quoted(answer.body);
  return {passing ? ErrorCode::key_provider_unavailable : ErrorCode::key_provider_refused, Side::upstream, passing,
          std::move(detail)};
}

}  // namespace

KeyId derived_key_id(const KeyScope& scope, KeyLabel label) {
  const std::string text = "reelway-kid-1:" + scope.title + "/" + scope.version + "/" + scope.source_sha256 + "/" +
                           std::string(name_of(label));
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> sum{};
  CHECK(EVP_Digest(text.data(), text.size(), sum.data(), nullptr, EVP_sha256(), nullptr) == 1);
  KeyId id{};
  std::copy_n(sum.begin(), id.size(), id.begin());
  // Version 8 of RFC 9562: a UUID of our own making.
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x80);
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
  return id;
}

CpixKeys::CpixKeys(CpixServer server, Random& random)
    : server_(std::move(server)), random_(random), connection_(terms_of(server_)) {}

Result<VersionKeys> CpixKeys::keys(const KeyScope& scope, Patience& patience) {
  CpixRequest request;
  request.content_id = scope.title + "/" + scope.version;
  for (std::size_t i = 0; i < kKeyLabels.size(); ++i) {
    const auto label = static_cast<KeyLabel>(i);
    request.ids[label] = derived_key_id(scope, label);
  }
  request.systems = server_.systems;
  TimeLimit limit(server_.time_limit, patience);
  auto found = ask(request, limit.patience());
  if (found || found.error().code != ErrorCode::shutting_down || patience.given_up()) return found;
  return Error{ErrorCode::key_provider_unavailable, Side::upstream, true,
               "no keys within " + std::to_string(server_.time_limit.count()) + " ms"};
}

Result<VersionKeys> CpixKeys::ask(const CpixRequest& request, Patience& patience) {
  const std::string document = cpix_document(request);
  HttpRequest post;
  post.method = "POST";
  post.url = server_.url;
  post.headers = {{"Content-Type", "application/xml"}, {"Accept", "application/xml"}, {"X-Speke-Version", "2.0"}};
  if (!server_.credential.empty()) post.headers.emplace_back("Authorization", "Bearer " + server_.credential);
  post.body = body_of(document);
  Retries retries(kRetries, random_, patience);
  for (;;) {
    const auto answer = connection_.exchange(post, patience);
    if (answer && answer->status >= 200 && answer->status < 300) return parse_cpix(answer->body, request);
    Error error = answer ? refusal(*answer) : answer.error();
    if (!retries.again(error, answer ? retry_after(*answer, kRetries) : std::chrono::milliseconds(0))) {
      if (error.code == ErrorCode::timed_out || error.code == ErrorCode::upstream_truncated) {
        error.code = ErrorCode::key_provider_unavailable;
      }
      // Waiting was cut short by the time limit.
      if (patience.given_up()) error.code = ErrorCode::shutting_down;
      return error;
    }
  }
}

}  // namespace reelway::origin
