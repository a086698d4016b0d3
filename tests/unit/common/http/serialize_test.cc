#include "common/http/serialize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/http/parser.h"

namespace reelway::http {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ResponseBuilder, WritesHead) {
  const std::string text = ResponseBuilder(206).header("Content-Length", 12u).header("ETag", "\"a\"").finish();
  EXPECT_EQ(text, "HTTP/1.1 206 Partial Content\r\nContent-Length: 12\r\nETag: \"a\"\r\n\r\n");
}

TEST(RequestBuilder, WritesHead) {
  const std::string text = RequestBuilder("GET", "/a?b", "origin:8081").header("Reelway-Edge", "e1").finish();
  EXPECT_EQ(text, "GET /a?b HTTP/1.1\r\nHost: origin:8081\r\nReelway-Edge: e1\r\n\r\n");
}

TEST(ResponseBuilderDeathTest, ControlByteIsAFault) {
  EXPECT_DEATH(ResponseBuilder(200).header("X", "a\r\nY: b"), "CHECK failed");
  EXPECT_DEATH(ResponseBuilder(200).header("X: y", "a"), "CHECK failed");
  EXPECT_DEATH(RequestBuilder("GET", "/a b", "h"), "CHECK failed");
}

TEST(ReasonPhrase, EveryErrorCodeHasOne) {
  for (const ErrorInfo& info : error_table()) EXPECT_NE(reason_phrase(info.http_status), "Unnamed") << info.name;
}

TEST(ErrorResponse, ParsesAndNamesTheCode) {
  const std::string text = error_response({ErrorCode::token_expired, Side::client, false, "12 s ago"}, true);
  ResponseParser parser;
  ASSERT_EQ(parser.feed(as_bytes(text))->event, ParseEvent::head);
  EXPECT_EQ(parser.head().status, 403);
  EXPECT_TRUE(parser.head().keep_alive);
  EXPECT_EQ(parser.head().headers.find("reelway-error"), "token_expired");
  EXPECT_EQ(parser.head().headers.find("cache-control"), "no-store");
  const std::string body = text.substr(text.find("\r\n\r\n") + 4);
  EXPECT_EQ(parser.head().content_length, body.size());
  EXPECT_EQ(nlohmann::json::parse(body)["error"]["code"], "token_expired");
}

TEST(ErrorResponse, ToHeadHasLengthAndNoBody) {
  const Error error{ErrorCode::http_not_found, Side::client, false, ""};
  const std::string text = error_response(error, false, true, "Vary: Origin\r\n");
  EXPECT_THAT(text, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(text, HasSubstr("Vary: Origin\r\n\r\n"));
  EXPECT_THAT(text, HasSubstr("Content-Length: " + std::to_string(error_json(error).size())));
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST(ErrorResponse, UnauthorizedNamesTheScheme) {
  EXPECT_THAT(error_response({ErrorCode::credential_missing, Side::client, false, ""}, true),
              HasSubstr("WWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(error_response({ErrorCode::not_an_edge, Side::client, false, ""}, true), Not(HasSubstr("WWW-")));
}

}  // namespace
}  // namespace reelway::http
