#include "common/http/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/common/http/transcript.h"

namespace reelway::http {
namespace {

using testing::HasSubstr;

TEST(RequestParser, ReadsHeadOfGet) {
  const auto out = read_request(
      "GET /t/abc/film/v1/master.m3u8?x=1 HTTP/1.1\r\nHost: edge:8090\r\nAccept:  */* \t\r\nEmpty:\r\n\r\n");
  EXPECT_EQ(out.error_code, "");
  EXPECT_EQ(out.text, "[GET|/t/abc/film/v1/master.m3u8?x=1|1.1|keep|Host=edge:8090|Accept=*/*|Empty=].");
}

TEST(RequestParser, GivesPathAndQuery) {
  RequestParser parser;
  ASSERT_TRUE(parser.feed(as_bytes("GET /a/b?c=d?e HTTP/1.1\r\nHost: a\r\n\r\n")).ok());
  EXPECT_EQ(parser.head().method, Method::get);
  EXPECT_EQ(parser.head().path(), "/a/b");
  EXPECT_EQ(parser.head().query(), "c=d?e");
}

TEST(RequestParser, KnowsItsMethods) {
  const std::vector<std::pair<std::string, Method>> methods = {
      {"GET", Method::get},   {"HEAD", Method::head},   {"OPTIONS", Method::options}, {"PUT", Method::put},
      {"POST", Method::post}, {"PATCH", Method::patch}, {"DELETE", Method::delete_},  {"PURGE", Method::other}};
  for (const auto& [name, method] : methods) {
    RequestParser parser;
    const std::string text = name + " / HTTP/1.1\r\nHost: a\r\n\r\n";
    auto step = parser.feed(as_bytes(text));
    ASSERT_TRUE(step.ok()) << name;
    EXPECT_EQ(step->event, ParseEvent::head) << name;
    EXPECT_EQ(parser.head().method, method) << name;
    EXPECT_EQ(parser.head().method_text, name);
  }
}

TEST(RequestParser, DecodesChunkedBodyAndDropsTrailers) {
  const auto out = read_request(
      "POST /v1/titles HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;ext=\"a\"\r\nhello\r\n6\r\n world\r\n0\r\nChecksum: 1\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n");
  EXPECT_EQ(out.error_code, "");
  EXPECT_EQ(out.text,
            "[POST|/v1/titles|1.1|keep|chunked|Host=a|Transfer-Encoding=chunked]hello world.[GET|/|1.1|keep|Host=b].");
}

TEST(RequestParser, ReturnsAtHeadSoThatTheCallerMayAnswerExpect) {
  RequestParser parser;
  const std::string text = "PUT /u HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  auto step = parser.feed(as_bytes(text));
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->event, ParseEvent::head);
  EXPECT_EQ(step->consumed, text.size());
  EXPECT_TRUE(list_contains(*parser.head().headers.find("expect"), "100-continue"));
  EXPECT_EQ(parser.feed({})->event, ParseEvent::need_more);
  step = parser.feed(as_bytes("abcGET"));
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->event, ParseEvent::body);
  EXPECT_EQ(as_text(step->body), "abc");
  EXPECT_EQ(step->consumed, 3u);
  step = parser.feed(as_bytes("GET"));
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->event, ParseEvent::complete);
  EXPECT_EQ(step->consumed, 0u);
}

TEST(RequestParser, LeavesPipelinedRequestToTheCaller) {
  RequestParser parser;
  const std::string first = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string both = first + "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
  auto step = parser.feed(as_bytes(both));
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->consumed, first.size());
  const ByteView rest = as_bytes(both).subspan(step->consumed);
  step = parser.feed(rest);
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->event, ParseEvent::complete);
  EXPECT_EQ(step->consumed, 0u);
  EXPECT_EQ(parser.feed(rest)->event, ParseEvent::complete) << "until reset() the message stays complete";
  parser.reset();
  ASSERT_TRUE(parser.feed(rest).ok());
  EXPECT_EQ(parser.head().target, "/2");
}

TEST(RequestParser, SplitAtEveryPlaceGivesTheSameEvents) {
  const std::vector<std::string> inputs = {
      "GET /t/abc/film/v1/master.m3u8?x=1 HTTP/1.1\r\nHost: edge\r\nAccept:   */*  \r\nEmpty:\r\nX: a b\tc\r\n\r\n",
      "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "PUT /u HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789HEAD / HTTP/1.0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;a=\"b;c\";d\r\nhello\r\n00a\r\n0123456789\r\n0\r\nTrailer: x\r\nSecond: y\r\n\r\nGET / HTTP/1.1\r\nHost: "
      "b\r\nConnection: close\r\n\r\n",
      "GET http://edge.example:80/a?b HTTP/1.1\r\nHost: edge.example\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nDELETE /x HTTP/1.1\r\nHost: a\r\n\r\n",
  };
  for (const std::string& input : inputs) {
    const auto whole = read_request(input);
    ASSERT_EQ(whole.error_code, "") << input;
    const std::string_view view(input);
    for (std::size_t at = 0; at <= input.size(); ++at) {
      const auto split = read_pieces<RequestParser>({view.substr(0, at), view.substr(at)});
      EXPECT_EQ(split.text, whole.text) << "split at " << at << ": " << split.error_code << " " << split.detail;
    }
    std::vector<std::string_view> bytes;
    for (std::size_t at = 0; at < input.size(); ++at) bytes.push_back(view.substr(at, 1));
    EXPECT_EQ(read_pieces<RequestParser>(bytes).text, whole.text) << "byte by byte";
  }
}

TEST(RequestParser, SplitInThreeGivesTheSameEvents) {
  const std::string input =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: "
      "b\r\n\r\n";
  const std::string_view view(input);
  const auto whole = read_request(input);
  for (std::size_t a = 0; a <= input.size(); ++a) {
    for (std::size_t b = a; b <= input.size(); ++b) {
      const auto split = read_pieces<RequestParser>({view.substr(0, a), view.substr(a, b - a), view.substr(b)});
      ASSERT_EQ(split.text, whole.text) << "split at " << a << " and " << b << ": " << split.detail;
    }
  }
}

TEST(RequestParser, AbsoluteFormGivesItsPath) {
  EXPECT_THAT(read_request("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n").text, HasSubstr("|/b?c|"));
  EXPECT_THAT(read_request("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n").text, HasSubstr("|/|"));
  EXPECT_THAT(read_request("GET /r?u=http://b/c HTTP/1.1\r\nHost: a\r\n\r\n").text, HasSubstr("|/r?u=http://b/c|"));
}

TEST(RequestParser, KeepAliveRules) {
  const auto keeps = [](std::string_view text) {
    RequestParser parser;
    auto step = parser.feed(as_bytes(text));
    EXPECT_TRUE(step.ok() && step->event == ParseEvent::head);
    return parser.head().keep_alive;
  };
  EXPECT_TRUE(keeps(with_host("")));
  EXPECT_FALSE(keeps(with_host("Connection: close\r\n")));
  EXPECT_FALSE(keeps(with_host("Connection: x, Close\r\n")));
  EXPECT_FALSE(keeps(with_host("Connection: keep-alive\r\nConnection: close\r\n")));
  EXPECT_TRUE(keeps(with_host("Connection: closed\r\n")));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"));
}

TEST(RequestParser, UpgradeIsNotedAndHttpGoesOn) {
  RequestParser parser;
  const std::string text = with_host("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  ASSERT_EQ(parser.feed(as_bytes(text))->event, ParseEvent::head);
  EXPECT_TRUE(parser.head().upgrade);
  EXPECT_EQ(parser.feed({})->event, ParseEvent::complete);
}

TEST(RequestParser, ErrorRepeatsUntilReset) {
  RequestParser parser;
  EXPECT_FALSE(parser.feed(as_bytes("\x16\x03\x01\x02")).ok());
  EXPECT_FALSE(parser.feed(as_bytes(with_host(""))).ok());
  parser.reset();
  EXPECT_TRUE(parser.feed(as_bytes(with_host(""))).ok());
}

TEST(RequestParser, ErrorNeverQuotesTheRequest) {
  const auto out = read_request("GET /t/SECRET SECRET HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(out.error_code, "http_malformed");
  EXPECT_THAT(out.detail, testing::Not(HasSubstr("SECRET")));
}

// --- limits

TEST(RequestParserLimits, HeadBytes) {
  Limits limits;
  const std::string text = with_host("X: 12345\r\n");
  limits.head_bytes_max = text.size();
  EXPECT_EQ(read_request(text, limits).error_code, "");
  limits.head_bytes_max = text.size() - 1;
  EXPECT_EQ(read_request(text, limits).error_code, "http_too_large");
  EXPECT_EQ(read_pieces<RequestParser>({text.substr(0, 10), text.substr(10)}, limits).error_code, "http_too_large");
}

TEST(RequestParserLimits, EmptyLinesBeforeTheRequestCount) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "\r\n";
  EXPECT_EQ(read_request(text).error_code, "http_too_large");
}

TEST(RequestParserLimits, TargetBytes) {
  Limits limits;
  limits.target_bytes_max = 10;
  EXPECT_EQ(read_request("GET /123456789 HTTP/1.1\r\nHost: a\r\n\r\n", limits).error_code, "");
  EXPECT_EQ(read_request("GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n", limits).error_code, "http_too_large");
}

TEST(RequestParserLimits, HeaderCount) {
  Limits limits;
  limits.headers_max = 3;
  EXPECT_EQ(read_request(with_host("A: 1\r\nB: 2\r\n"), limits).error_code, "");
  EXPECT_EQ(read_request(with_host("A: 1\r\nB: 2\r\nC: 3\r\n"), limits).error_code, "http_too_large");
}

TEST(RequestParserLimits, BodyByContentLength) {
  Limits limits;
  limits.body_bytes_max = 3;
  EXPECT_EQ(read_request("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", limits).error_code, "");
  const auto out = read_request("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd", limits);
  EXPECT_EQ(out.error_code, "upload_too_large");
  EXPECT_THAT(out.text, HasSubstr("PUT")) << "the caller sees the head before the refusal";
}

TEST(RequestParserLimits, BodyByChunks) {
  Limits limits;
  limits.body_bytes_max = 3;
  const std::string head = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(read_request(head + "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", limits).error_code, "");
  EXPECT_EQ(read_request(head + "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", limits).error_code, "upload_too_large");
}

TEST(RequestParserLimits, BodyLimitOfTheRoute) {
  RequestParser parser;
  ASSERT_TRUE(parser.feed(as_bytes("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")).ok());
  parser.set_body_bytes_max(3);
  EXPECT_EQ(parser.feed({}).error().code, ErrorCode::upload_too_large);
}

TEST(RequestParserLimits, TrailersAndChunkExtensions) {
  const std::string head = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string many(20'000, 'x');
  EXPECT_EQ(read_request(head + "0\r\nTrailer: " + many + "\r\n\r\n").error_code, "http_too_large");
  EXPECT_EQ(read_request(head + "1;" + many + "\r\na\r\n0\r\n\r\n").error_code, "http_too_large");
}

}  // namespace
}  // namespace reelway::http
