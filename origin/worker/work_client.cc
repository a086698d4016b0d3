#include "origin/worker/work_client.h"

#include <cstring>

namespace reelway::origin {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kConnectTimeout{5'000};
constexpr std::chrono::seconds kAnswerSilence{600};
constexpr std::chrono::seconds kFilmSilence{60};
constexpr std::size_t kAnswerBytesMax = 8 << 20;

// The error in a server's answer, as if it had happened here.
Error told_by_server(const HttpAnswer& from_server, const std::string& where) {
  const Json answer = Json::parse(from_server.body, nullptr, false);
  const Json error = answer.is_object() ? answer.value("error", Json()) : Json();
  const std::string code = error.is_object() ? error.value("code", "") : "";
  const std::string detail = error.is_object() ? error.value("detail", "") : "";
  const bool again = from_server.status == 503;
  for (const ErrorInfo& info : error_table()) {
    if (info.name == code) return {info.code, Side::upstream, again, detail};
  }
  return {ErrorCode::upstream_failed, Side::upstream, again, where + ": status " + std::to_string(from_server.status)};
}

// An answer of 2xx, or an error.
Result<HttpAnswer> call(const HttpRequest& request, std::chrono::seconds silence, Patience& patience,
                        const HttpSink* sink = nullptr) {
  HttpTerms terms;
  terms.limits = {kConnectTimeout, silence, kAnswerBytesMax};
  terms.unreachable = ErrorCode::server_unreachable;
  HttpConnection connection(terms);
  Result<HttpAnswer> answer = connection.exchange(request, patience, sink);
  if (answer.ok() && answer->status >= 300) return told_by_server(*answer, request.url);
  return answer;
}

HttpBody body_of(ByteView bytes) {
  return {bytes.size(), [bytes](std::uint64_t offset, std::span<std::uint8_t> out) -> Result<void> {
            std::memcpy(out.data(), bytes.data() + offset, out.size());
            return {};
          }};
}

}  // namespace

HttpRequest WorkClient::request(const char* method, const std::string& path) const {
  HttpRequest out;
  out.method = method;
  out.url = base_url_ + path;
  out.headers = {{"Authorization", "Bearer " + credential_}, {"User-Agent", "reelway-worker"}};
  return out;
}

Result<Json> WorkClient::post(const std::string& path, const Json& body) const {
  HttpRequest out = request("POST", path);
  const std::string text = body.dump();
  out.headers.emplace_back("Content-Type", "application/json");
  out.body = body_of(as_bytes(text));
  Patience patience;
  const Result<HttpAnswer> answer = call(out, kAnswerSilence, patience);
  if (!answer.ok()) return answer.error();
  if (answer->body.empty()) return Json();
  Json json = Json::parse(answer->body, nullptr, false);
  if (!json.is_discarded()) return json;
  return Error{ErrorCode::upstream_failed, Side::upstream, false, out.url + ": the answer is no JSON"};
}

Result<void> WorkClient::put(const std::string& path, ByteView bytes) const {
  HttpRequest out = request("PUT", path);
  out.headers.emplace_back("Content-Type", "application/octet-stream");
  out.body = body_of(bytes);
  Patience patience;
  const Result<HttpAnswer> answer = call(out, kAnswerSilence, patience);
  if (!answer.ok()) return answer.error();
  return {};
}

Result<void> WorkClient::get(const std::string& path, const Take& take, Patience& patience) const {
  HttpSink sink;
  sink.begin = [](const HttpAnswer&) -> Result<void> { return {}; };
  sink.take = take;
  const Result<HttpAnswer> answer = call(request("GET", path), kFilmSilence, patience, &sink);
  if (!answer.ok()) return answer.error();
  return {};
}

}  // namespace reelway::origin
