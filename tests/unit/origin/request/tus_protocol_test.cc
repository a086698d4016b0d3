#include "origin/request/tus_protocol.h"

#include <gtest/gtest.h>

#include <map>

namespace reelway::origin {
namespace {

using http::Method;
using http::RequestHead;

ErrorCode code(const auto& result) {
  return result.ok() ? ErrorCode::internal : result.error().code;
}

RequestHead request(Method method, std::initializer_list<http::Header> headers, std::uint64_t body_bytes = 0) {
  RequestHead head;
  head.method = method;
  head.headers.add("Tus-Resumable", "1.0.0");
  for (const http::Header& header : headers) head.headers.add(header.name, header.value);
  if (body_bytes > 0) head.content_length = body_bytes;
  return head;
}

std::map<std::string, std::string> fields(const Response& response) {
  return {response.headers.begin(), response.headers.end()};
}

constexpr http::Header kBytes{"Content-Type", "application/offset+octet-stream"};

TEST(TusProtocol, ReadsACreation) {
  const auto call = read_tus_call(
      request(Method::post, {{"Upload-Length", "9"}, {"Upload-Metadata", "title ZmlsbQ==,filename YS5tcDQ="}}), "");
  ASSERT_TRUE(call.ok()) << describe(call.error());
  EXPECT_EQ(call->kind, TusCall::Kind::create);
  EXPECT_EQ(call->creation.size_bytes, 9u);
  EXPECT_EQ(call->creation.title, "film");
  EXPECT_EQ(call->creation.filename, "a.mp4");
  EXPECT_TRUE(call->creation.resumable);
  EXPECT_FALSE(call->bytes);
  const auto with_bytes = read_tus_call(request(Method::post, {{"Upload-Length", "9"}, kBytes}, 4), "");
  ASSERT_TRUE(with_bytes.ok() && with_bytes->bytes);
  EXPECT_EQ(with_bytes->bytes->body_bytes, 4u);
  EXPECT_EQ(code(read_tus_call(request(Method::post, {{"Upload-Length", "9"}}, 4), "")), ErrorCode::http_media_type);
  EXPECT_EQ(code(read_tus_call(request(Method::post, {}), "")), ErrorCode::http_bad_request);
  EXPECT_EQ(code(read_tus_call(request(Method::post, {{"Upload-Defer-Length", "1"}}), "")),
            ErrorCode::http_bad_request);
}

TEST(TusProtocol, ReadsPartsAndTheirWhole) {
  const std::string parts = "final;/v1/tus/" + std::string(32, 'a');
  const auto partial = read_tus_call(request(Method::post, {{"Upload-Length", "9"}, {"Upload-Concat", "partial"}}), "");
  EXPECT_TRUE(partial->creation.partial);
  const auto whole = read_tus_call(request(Method::post, {{"Upload-Concat", parts}}), "");
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->kind, TusCall::Kind::concatenate);
  EXPECT_EQ(whole->concatenation.parts.size(), 1u);
  EXPECT_EQ(whole->concatenation.parts_text, parts);
  EXPECT_EQ(code(read_tus_call(request(Method::post, {{"Upload-Concat", parts}, {"Upload-Length", "9"}}), "")),
            ErrorCode::http_bad_request);
}

TEST(TusProtocol, ReadsBytes) {
  const auto call = read_tus_call(request(Method::patch, {{"Upload-Offset", "5"}, kBytes}, 4), "id");
  ASSERT_TRUE(call.ok());
  EXPECT_EQ(call->kind, TusCall::Kind::append);
  EXPECT_EQ(call->bytes->upload, "id");
  EXPECT_EQ(call->bytes->offset, 5u);
  EXPECT_EQ(call->bytes->body_bytes, 4u);
  RequestHead chunked = request(Method::patch, {{"Upload-Offset", "5"}, kBytes});
  chunked.chunked = true;
  EXPECT_FALSE(read_tus_call(chunked, "id")->bytes->body_bytes);
  const auto other = request(Method::patch, {{"Upload-Offset", "5"}, {"Content-Type", "text/plain"}}, 4);
  EXPECT_EQ(code(read_tus_call(other, "id")), ErrorCode::http_media_type);
  EXPECT_EQ(code(read_tus_call(request(Method::patch, {kBytes}, 4), "id")), ErrorCode::http_bad_request);
}

TEST(TusProtocol, AsksForTheVersion) {
  RequestHead head;
  head.method = Method::options;
  EXPECT_EQ(read_tus_call(head, "")->kind, TusCall::Kind::options);
  head.method = Method::head;
  EXPECT_EQ(code(read_tus_call(head, "id")), ErrorCode::tus_version);
  head.headers.add("Tus-Resumable", "0.2.2");
  EXPECT_EQ(code(read_tus_call(head, "id")), ErrorCode::tus_version);
  Response refused;
  refused.status = 412;
  add_tus_headers(refused);
  EXPECT_EQ(fields(refused)["Tus-Version"], "1.0.0");
}

TEST(TusProtocol, AMethodMayBeOverridden) {
  EXPECT_EQ(tus_method(request(Method::post, {{"X-HTTP-Method-Override", "PATCH"}})), Method::patch);
  EXPECT_EQ(tus_method(request(Method::post, {{"X-HTTP-Method-Override", "TRACE"}})), Method::other);
  EXPECT_EQ(tus_method(request(Method::get, {{"X-HTTP-Method-Override", "DELETE"}})), Method::get);
}

TEST(TusProtocol, Answers) {
  UploadStatus status;
  status.record.upload = "id";
  status.record.size_bytes = 9;
  status.record.metadata = "title ZmlsbQ==";
  status.record.partial = true;
  status.offset = 4;
  status.expires_at_ms = 784111777000;
  const Response offset = tus_answer({TusCall::Kind::offset, "id", {}, {}, {}}, status);
  EXPECT_EQ(offset.status, 200);
  auto said = fields(offset);
  EXPECT_EQ(said["Upload-Offset"], "4");
  EXPECT_EQ(said["Upload-Length"], "9");
  EXPECT_EQ(said["Upload-Metadata"], "title ZmlsbQ==");
  EXPECT_EQ(said["Upload-Concat"], "partial");
  EXPECT_EQ(said["Cache-Control"], "no-store");
  EXPECT_EQ(said["Upload-Expires"], "Sun, 06 Nov 1994 08:49:37 GMT");
  const Response created = tus_answer({TusCall::Kind::create, "", {}, {}, {}}, status);
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(fields(created)["Location"], "/v1/tus/id");
  EXPECT_FALSE(fields(created).contains("Upload-Offset"));
  const Response appended = tus_answer({TusCall::Kind::append, "id", {}, ResumeRequest{}, {}}, status);
  EXPECT_EQ(appended.status, 204);
  EXPECT_EQ(fields(appended)["Upload-Offset"], "4");
  EXPECT_EQ(tus_answer({TusCall::Kind::terminate, "id", {}, {}, {}}, std::nullopt).status, 204);
}

}  // namespace
}  // namespace reelway::origin
