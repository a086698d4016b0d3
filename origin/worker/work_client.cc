#include "origin/worker/work_client.h"

#include <curl/curl.h>

#include <memory>
#include <optional>

#include "common/base/check.h"

namespace reelway::origin {
namespace {

using Json = nlohmann::json;

constexpr long kConnectTimeoutMs = 5'000;
constexpr long kAnswerTimeoutMs = 600'000;
constexpr long kStallSeconds = 60;  // without a byte
constexpr std::size_t kAnswerBytesMax = 8 << 20;

// What a call leads to, piece by piece.
struct Answer {
  CURL* handle = nullptr;
  const WorkClient::Take* take = nullptr;  // for the body of a good answer; null: it is kept in `text`
  const std::function<bool()>* stop = nullptr;
  std::string text;
  std::optional<Error> error;
};

std::size_t accept_piece(char* bytes, std::size_t size, std::size_t count, void* target) {
  auto& answer = *static_cast<Answer*>(target);
  long status = 0;
  curl_easy_getinfo(answer.handle, CURLINFO_RESPONSE_CODE, &status);
  const std::string_view piece(bytes, size * count);
  if (answer.take == nullptr || status >= 300) {
    if (answer.text.size() + piece.size() > kAnswerBytesMax) return 0;
    answer.text.append(piece);
    return piece.size();
  }
  if (const Result<void> taken = (*answer.take)(as_bytes(piece)); !taken.ok()) {
    answer.error = taken.error();
    return 0;
  }
  return piece.size();
}

int look_up(void* target, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& answer = *static_cast<const Answer*>(target);
  return answer.stop != nullptr && (*answer.stop)() ? 1 : 0;
}

// The error in a server's answer, as if it had happened here.
Error told_by_server(long status, const std::string& text, const std::string& where) {
  const Json answer = Json::parse(text, nullptr, false);
  const Json error = answer.is_object() ? answer.value("error", Json()) : Json();
  const std::string code = error.is_object() ? error.value("code", "") : "";
  const std::string detail = error.is_object() ? error.value("detail", "") : "";
  for (const ErrorInfo& info : error_table()) {
    if (info.name == code) return {info.code, Side::upstream, status == 503, detail};
  }
  return {ErrorCode::upstream_failed, Side::upstream, status == 503, where + ": status " + std::to_string(status)};
}

Error call_failed(CURLcode code, const std::string& where) {
  const std::string detail = where + ": " + curl_easy_strerror(code);
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST: return {ErrorCode::server_unreachable, Side::upstream, true, detail};
    case CURLE_OPERATION_TIMEDOUT: return {ErrorCode::timed_out, Side::upstream, true, detail};
    case CURLE_ABORTED_BY_CALLBACK: return {ErrorCode::shutting_down, Side::self, true, detail};
    default: return {ErrorCode::upstream_truncated, Side::upstream, true, detail};
  }
}

class Call {
 public:
  Call(const std::string& url, const std::string& credential) : handle_(curl_easy_init(), &curl_easy_cleanup) {
    CHECK(handle_ != nullptr);
    answer_.handle = handle_.get();
    where_ = url;
    add_header("Authorization: Bearer " + credential);
    add_header("Expect:");
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PROXY, "");
    set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "reelway-worker");
    set(CURLOPT_WRITEFUNCTION, accept_piece);
    set(CURLOPT_WRITEDATA, &answer_);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, look_up);
    set(CURLOPT_XFERINFODATA, &answer_);
  }

  // `method`: POST or PUT.
  void send(const char* method, std::string_view body) {
    set(CURLOPT_CUSTOMREQUEST, method);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(CURLOPT_POSTFIELDS, body.data());
    set(CURLOPT_TIMEOUT_MS, kAnswerTimeoutMs);
  }
  void stream(const WorkClient::Take& take, const std::function<bool()>& stop) {
    answer_.take = &take;
    answer_.stop = &stop;
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  }
  void add_header(const std::string& line) {
    headers_.reset(curl_slist_append(headers_.release(), line.c_str()));
    CHECK(headers_ != nullptr);
  }

  // The text of a good answer.
  Result<std::string> run() {
    set(CURLOPT_HTTPHEADER, headers_.get());
    const CURLcode code = curl_easy_perform(handle_.get());
    long status = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (answer_.error) return std::move(*answer_.error);
    if (status >= 300 && (code == CURLE_OK || code == CURLE_SEND_ERROR)) {
      return told_by_server(status, answer_.text, where_);
    }
    if (code != CURLE_OK) return call_failed(code, where_);
    return std::move(answer_.text);
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    CHECK(curl_easy_setopt(handle_.get(), option, value) == CURLE_OK);
  }

  std::unique_ptr<CURL, void (*)(CURL*)> handle_;
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers_{nullptr, &curl_slist_free_all};
  Answer answer_;
  std::string where_;
};

}  // namespace

Result<Json> WorkClient::post(const std::string& path, const Json& body) const {
  Call call(base_url_ + path, credential_);
  call.add_header("Content-Type: application/json");
  const std::string text = body.dump();
  call.send("POST", text);
  const Result<std::string> answer = call.run();
  if (!answer.ok()) return answer.error();
  if (answer->empty()) return Json();
  Json json = Json::parse(*answer, nullptr, false);
  if (!json.is_discarded()) return json;
  return Error{ErrorCode::upstream_failed, Side::upstream, false, base_url_ + path + ": the answer is no JSON"};
}

Result<void> WorkClient::put(const std::string& path, ByteView bytes) const {
  Call call(base_url_ + path, credential_);
  call.add_header("Content-Type: application/octet-stream");
  call.send("PUT", as_text(bytes));
  const Result<std::string> answer = call.run();
  if (!answer.ok()) return answer.error();
  return {};
}

Result<void> WorkClient::get(const std::string& path, const Take& take, const std::function<bool()>& stop) const {
  Call call(base_url_ + path, credential_);
  call.stream(take, stop);
  const Result<std::string> answer = call.run();
  if (!answer.ok()) return answer.error();
  return {};
}

}  // namespace reelway::origin
