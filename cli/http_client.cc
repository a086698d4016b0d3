// A call is one curl handle that lives as long as the call: the command makes a handful of calls, so a kept connection
// would gain nothing. The credential travels in a header list, never on a command line and never in an error's detail.

#include "cli/http_client.h"

#include <curl/curl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "common/http/message.h"

namespace reelway::cli {
namespace {

constexpr long kConnectTimeoutMs = 5'000;
constexpr long kAnswerTimeoutMs = 30'000;
constexpr long kUploadStallS = 60;
constexpr std::size_t kAnswerBytesMax = 16u << 20;
constexpr std::size_t kAnswerHeadersMax = 64;

struct CurlFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Handle = std::unique_ptr<CURL, CurlFree>;
using FileHandle = std::unique_ptr<std::FILE, CurlFree>;

class HeaderList {
 public:
  void add(const std::string& line) {
    if (curl_slist* longer = curl_slist_append(list_.get(), line.c_str())) {
      (void)list_.release();
      list_.reset(longer);
    }
  }
  curl_slist* get() const { return list_.get(); }

 private:
  std::unique_ptr<curl_slist, CurlFree> list_;
};

std::size_t append_answer(char* data, std::size_t size, std::size_t count, void* target) {
  auto& answer = *static_cast<std::string*>(target);
  if (answer.size() + size * count > kAnswerBytesMax) return 0;
  answer.append(data, size * count);
  return size * count;
}

struct Upload {
  FileHandle file;
  const HttpClient::FilePart* part = nullptr;
};

std::size_t read_upload(char* data, std::size_t size, std::size_t count, void* source) {
  auto& upload = *static_cast<Upload*>(source);
  const std::size_t got = std::fread(data, 1, size * count, upload.file.get());
  return got == 0 && std::ferror(upload.file.get()) != 0 ? CURL_READFUNC_ABORT : got;
}

int upload_seek(void* source, curl_off_t offset, int origin) {
  auto& upload = *static_cast<Upload*>(source);
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  const auto place = static_cast<off_t>(upload.part->offset) + offset;
  return ::fseeko(upload.file.get(), place, SEEK_SET) == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

std::size_t keep_header(char* data, std::size_t size, std::size_t count, void* target) {
  auto& headers = *static_cast<HttpClient::Headers*>(target);
  const std::string_view line(data, size * count);
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) headers.clear();  // those before were of an interim answer
  if (colon == std::string_view::npos || headers.size() >= kAnswerHeadersMax) return size * count;
  std::string_view value = line.substr(colon + 1);
  value = value.substr(0, value.find_first_of("\r\n"));
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  headers.insert_or_assign(std::move(name), std::string(http::trimmed(value)));
  return size * count;
}

int report_upload(void* source, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
  const auto& upload = *static_cast<const Upload*>(source);
  if (upload.part->progress) upload.part->progress(static_cast<std::uint64_t>(std::max<curl_off_t>(sent, 0)));
  return 0;
}

Error call_failed(CURLcode code, const char* reason, const std::string& where) {
  const std::string words = *reason != '\0' ? reason : curl_easy_strerror(code);
  const std::string detail = where + ": " + words;
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST: return {ErrorCode::server_unreachable, Side::upstream, true, detail};
    case CURLE_OPERATION_TIMEDOUT: return {ErrorCode::timed_out, Side::upstream, true, detail};
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE: return {ErrorCode::upstream_truncated, Side::upstream, true, detail};
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_READ_ERROR: return {ErrorCode::io_failed, Side::disk, false, detail};
    default: return {ErrorCode::upstream_failed, Side::upstream, false, detail};
  }
}

class Call {
 public:
  Call(std::string method, std::string url, const std::string& credential)
      : handle_(curl_easy_init()), method_(std::move(method)), url_(std::move(url)) {
    headers_.add("Authorization: Bearer " + credential);
    headers_.add("Accept: application/json");
    // No "Expect: 100-continue": what would refuse an upload is asked before its bytes are sent.
    headers_.add("Expect:");
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PROXY, "");
    set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "reelway");
    set(CURLOPT_ERRORBUFFER, reason_);
    set(CURLOPT_WRITEFUNCTION, append_answer);
    set(CURLOPT_WRITEDATA, &answer_);
  }

  void body(const std::string& text) {
    headers_.add("Content-Type: application/json");
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(text.size()));
    set(CURLOPT_COPYPOSTFIELDS, text.c_str());
    set(CURLOPT_TIMEOUT_MS, kAnswerTimeoutMs);
  }

  void answer_only() { set(CURLOPT_TIMEOUT_MS, kAnswerTimeoutMs); }

  void header(const std::string& line) { headers_.add(line); }

  // As its method says, without a body in either direction.
  void bare() {
    if (method_ == "HEAD")
      set(CURLOPT_NOBODY, 1L);
    else if (method_ == "POST")
      set(CURLOPT_COPYPOSTFIELDS, "");
    else
      set(CURLOPT_CUSTOMREQUEST, method_.c_str());
    if (method_ == "POST") headers_.add("Content-Type:");
    answer_only();
  }

  void upload(Upload& source) {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_CUSTOMREQUEST, method_.c_str());
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(source.part->bytes));
    set(CURLOPT_READFUNCTION, read_upload);
    set(CURLOPT_READDATA, &source);
    set(CURLOPT_SEEKFUNCTION, upload_seek);
    set(CURLOPT_SEEKDATA, &source);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, report_upload);
    set(CURLOPT_XFERINFODATA, &source);
    set(CURLOPT_UPLOAD_BUFFERSIZE, 1L << 20);
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, kUploadStallS);
  }

  Result<Json> run() {
    const Result<long> status = perform();
    if (!status.ok()) return status.error();
    Json json = Json::parse(answer_, nullptr, false);
    if (json.is_discarded()) return unexpected(*status, "a body that is not the JSON expected");
    return json;
  }

  Result<std::string> run_for_bytes() {
    const Result<long> status = perform();
    if (!status.ok()) return status.error();
    return std::move(answer_);
  }

  Result<HttpClient::Headers> run_for_headers() {
    const Result<long> status = perform();
    if (!status.ok()) return status.error();
    return std::move(answer_headers_);
  }

 private:
  Error unexpected(long status, std::string_view what) const {
    return {ErrorCode::upstream_failed, Side::upstream, false,
            fmt::format("{} {}: status {} with {}", method_, url_, status, what)};
  }

  // The status, of 200 to 299.
  Result<long> perform() {
    const std::string where = method_ + " " + url_;
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_HEADERFUNCTION, keep_header);
    set(CURLOPT_HEADERDATA, &answer_headers_);
    const CURLcode code = curl_easy_perform(handle_.get());
    long status = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    // A server that refuses an upload early may close before it has read all: its answer says more than the broken
    // pipe.
    if (status >= 400 && (code == CURLE_OK || code == CURLE_SEND_ERROR)) {
      return server_error(status, answer_, where, answer_headers_["reelway-error"]);
    }
    if (code != CURLE_OK) return call_failed(code, reason_, where);
    if (status < 200 || status >= 300) return unexpected(status, "an answer that was not expected");
    return status;
  }

  template <class Value>
  void set(CURLoption option, Value value) {
    CHECK(handle_ != nullptr && curl_easy_setopt(handle_.get(), option, value) == CURLE_OK);
  }

  Handle handle_;
  HeaderList headers_;
  std::string method_;
  std::string url_;
  std::string answer_;
  HttpClient::Headers answer_headers_;
  char reason_[CURL_ERROR_SIZE] = {};
};

}  // namespace

Error server_error(long status, const std::string& body, const std::string& where, const std::string& code_field) {
  const Json json = Json::parse(body, nullptr, false);
  const Json& fields = object_at(json, "error");
  const std::string code = body.empty() ? code_field : text_at(fields, "code");
  const std::string detail = text_at(fields, "detail");
  const bool retry = status == 503 || status == 504;
  for (const ErrorInfo& info : error_table()) {
    if (info.name == code) return {info.code, Side::upstream, retry, detail};
  }
  if (code.empty()) {
    return {ErrorCode::upstream_failed, Side::upstream, retry, fmt::format("{}: status {}", where, status)};
  }
  return {ErrorCode::upstream_failed, Side::upstream, retry,
          fmt::format("{}: {}: {} ({}); remedy: {}", where, code, text_at(fields, "message"), detail,
                      text_at(fields, "remedy"))};
}

HttpClient::HttpClient(std::string base_url, std::string credential)
    : base_url_(std::move(base_url)), credential_(std::move(credential)) {}

Result<Json> HttpClient::get(const std::string& path) const {
  Call call{"GET", base_url_ + path, credential_};
  call.answer_only();
  return call.run();
}

Result<std::string> HttpClient::get_bytes(const std::string& path) const {
  Call call{"GET", base_url_ + path, credential_};
  call.answer_only();
  return call.run_for_bytes();
}

Result<Json> HttpClient::post(const std::string& path, const Json& body) const {
  Call call{"POST", base_url_ + path, credential_};
  call.body(one_line(body));
  return call.run();
}

Result<HttpClient::Headers> HttpClient::call(const std::string& method, const std::string& path,
                                             const std::vector<std::string>& headers, const FilePart* body) const {
  Call call{method, base_url_ + path, credential_};
  for (const std::string& line : headers) call.header(line);
  if (body == nullptr) {
    call.bare();
    return call.run_for_headers();
  }
  Upload source{FileHandle{std::fopen(body->file.c_str(), "rbe")}, body};
  if (!source.file) return system_error("open", body->file, errno);
  if (::fseeko(source.file.get(), static_cast<off_t>(body->offset), SEEK_SET) != 0) {
    return system_error("seek", body->file, errno);
  }
  call.upload(source);
  return call.run_for_headers();
}

HttpLibrary::HttpLibrary() {
  CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}
HttpLibrary::~HttpLibrary() {
  curl_global_cleanup();
}

}  // namespace reelway::cli
