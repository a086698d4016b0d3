#include "origin/request/tus_protocol.h"

#include <array>

#include "common/http/date.h"

namespace reelway::origin {
namespace {

using http::Method;
using http::RequestHead;

constexpr std::string_view kBodyType = "application/offset+octet-stream";
constexpr std::int64_t kSecondMs = 1000;

Error refuse(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

Result<std::uint64_t> need_number(const RequestHead& head, std::string_view field) {
  const auto value = head.headers.find(field);
  if (value) return parse_upload_number(field, *value);
  return refuse(ErrorCode::http_bad_request, std::string(field) + " is missing");
}

bool has_body(const RequestHead& head) {
  return head.chunked || head.content_length.value_or(0) > 0;
}

Result<void> check_body_type(const RequestHead& head) {
  const auto type = head.headers.find("Content-Type");
  if (type && http::names_equal(*type, kBodyType)) return {};
  return refuse(ErrorCode::http_media_type, "Content-Type: " + std::string(kBodyType));
}

// The bytes that the request brings, to stand at `offset`.
Result<ResumeRequest> read_bytes(const RequestHead& head, std::string_view upload, std::uint64_t offset) {
  REELWAY_TRY(check_body_type(head));
  ResumeRequest request;
  request.upload = upload;
  request.offset = offset;
  if (!head.chunked) request.body_bytes = head.content_length.value_or(0);
  if (const auto value = head.headers.find("Upload-Checksum")) {
    auto checksum = parse_upload_checksum(*value);
    if (!checksum) return std::move(checksum).error();
    request.checksum = std::move(checksum).value();
  }
  return request;
}

Result<TusCall> read_append(const RequestHead& head, std::string_view upload) {
  const auto offset = need_number(head, "Upload-Offset");
  if (!offset) return offset.error();
  auto bytes = read_bytes(head, upload, *offset);
  if (!bytes) return std::move(bytes).error();
  TusCall call;
  call.kind = TusCall::Kind::append;
  call.upload = upload;
  call.bytes = std::move(bytes).value();
  return call;
}

Result<TusCall> read_concatenation(const RequestHead& head, std::string_view parts_text, UploadConcat concat,
                                   UploadNaming naming, std::string_view metadata) {
  if (has_body(head) || head.headers.find("Upload-Length")) {
    return refuse(ErrorCode::http_bad_request, "a final upload has neither Upload-Length nor bytes of its own");
  }
  TusCall call;
  call.kind = TusCall::Kind::concatenate;
  call.concatenation = {std::move(concat.parts), std::string(parts_text), std::move(naming), std::string(metadata)};
  return call;
}

Result<TusCall> read_creation(const RequestHead& head) {
  const std::string_view metadata = head.headers.find("Upload-Metadata").value_or("");
  const auto entries = parse_upload_metadata(metadata);
  if (!entries) return entries.error();
  auto naming = naming_of(*entries);
  if (!naming) return std::move(naming).error();
  bool partial = false;
  if (const auto value = head.headers.find("Upload-Concat")) {
    auto concat = parse_upload_concat(*value, kTusFolder);
    if (!concat) return std::move(concat).error();
    if (concat->final) {
      return read_concatenation(head, *value, std::move(concat).value(), std::move(naming).value(), metadata);
    }
    partial = true;
  }
  const auto length = need_number(head, "Upload-Length");
  if (!length) return length.error();
  TusCall call;
  call.kind = TusCall::Kind::create;
  call.creation = {
      naming->filename,   *length, naming->title, naming->new_version, true, partial, std::string(metadata),
      naming->fingerprint};
  if (partial) call.creation.title.clear();
  if (!has_body(head)) return call;
  auto bytes = read_bytes(head, "", 0);
  if (!bytes) return std::move(bytes).error();
  call.bytes = std::move(bytes).value();
  return call;
}

void add_expiry(Response& response, const UploadStatus& status) {
  if (status.expires_at_ms == 0) return;
  response.headers.emplace_back("Upload-Expires", http::format_date(status.expires_at_ms / kSecondMs));
}

void describe_upload(Response& response, const UploadStatus& status) {
  const UploadRecord& record = status.record;
  response.headers.emplace_back("Upload-Offset", std::to_string(status.offset));
  response.headers.emplace_back("Upload-Length", std::to_string(record.size_bytes));
  if (!record.metadata.empty()) response.headers.emplace_back("Upload-Metadata", record.metadata);
  if (record.partial) response.headers.emplace_back("Upload-Concat", "partial");
  if (!record.parts.empty()) response.headers.emplace_back("Upload-Concat", record.parts);
}

}  // namespace

Method tus_method(const RequestHead& head) {
  const auto name = head.headers.find("X-HTTP-Method-Override");
  if (head.method != Method::post || !name) return head.method;
  if (*name == "PATCH") return Method::patch;
  if (*name == "DELETE") return Method::delete_;
  if (*name == "HEAD") return Method::head;
  if (*name == "OPTIONS") return Method::options;
  return *name == "POST" ? Method::post : Method::other;
}

Result<TusCall> read_tus_call(const RequestHead& head, std::string_view upload) {
  const Method method = tus_method(head);
  if (method == Method::options) return TusCall{};
  const auto version = head.headers.find("Tus-Resumable");
  if (!version || *version != kTusVersion) {
    return refuse(ErrorCode::tus_version, version ? "Tus-Resumable: " + std::string(*version) : "no Tus-Resumable");
  }
  if (method == Method::post) return read_creation(head);
  if (method == Method::patch) return read_append(head, upload);
  TusCall call;
  call.kind = method == Method::delete_ ? TusCall::Kind::terminate : TusCall::Kind::offset;
  call.upload = upload;
  return call;
}

Response tus_options(std::uint64_t upload_bytes_max) {
  Response response;
  response.status = 204;
  response.headers = {{"Tus-Version", std::string(kTusVersion)},
                      {"Tus-Extension", std::string(kTusExtensions)},
                      {"Tus-Max-Size", std::to_string(upload_bytes_max)},
                      {"Tus-Checksum-Algorithm", std::string(kChecksumAlgorithms)},
                      {"Cache-Control", "no-store"}};
  return response;
}

Response tus_answer(const TusCall& call, const std::optional<UploadStatus>& status) {
  Response response;
  response.status = 204;
  response.headers = {{"Cache-Control", "no-store"}};
  if (!status) return response;
  const bool created = call.kind == TusCall::Kind::create || call.kind == TusCall::Kind::concatenate;
  if (created) {
    response.status = 201;
    response.headers.emplace_back("Location", std::string(kTusFolder) + status->record.upload);
  }
  if (call.kind == TusCall::Kind::offset) {
    response.status = 200;
    describe_upload(response, *status);
  } else if (call.bytes) {
    response.headers.emplace_back("Upload-Offset", std::to_string(status->offset));
  }
  add_expiry(response, *status);
  return response;
}

void add_tus_headers(Response& response) {
  response.headers.emplace_back("Tus-Resumable", std::string(kTusVersion));
  if (response.status == 412) response.headers.emplace_back("Tus-Version", std::string(kTusVersion));
}

}  // namespace reelway::origin
