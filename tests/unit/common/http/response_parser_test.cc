#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/http/parser.h"
#include "tests/unit/common/http/transcript.h"

namespace reelway::http {
namespace {

using testing::HasSubstr;

Transcript<ResponseParser> read_response(std::string_view text, const Limits& limits = {}) {
  return read_pieces<ResponseParser>({text}, limits);
}

TEST(ResponseParser, ReadsBodyByLength) {
  const auto out = read_response(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\nhelloHTTP/1.1 404 Not Found\r\nContent-Length: "
      "0\r\n\r\n");
  EXPECT_EQ(out.text, "[200|1.1|keep|5|Content-Length=5|ETag=\"a\"]hello.[404|1.1|keep|0|Content-Length=0].");
}

TEST(ResponseParser, ReadsChunkedBody) {
  const auto out = read_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  EXPECT_EQ(out.text, "[200|1.1|keep|chunked|Transfer-Encoding=chunked]abc.");
}

TEST(ResponseParser, NoReasonPhrase) {
  EXPECT_EQ(read_response("HTTP/1.1 204\r\n\r\n").text, "[204|1.1|keep].");
  EXPECT_EQ(read_response("HTTP/1.1 204 \r\n\r\n").text, "[204|1.1|keep].");
}

// RFC 9112 section 6.3, rule 1: these have no body whatever their fields say.
TEST(ResponseParser, NoBodyByStatus) {
  EXPECT_EQ(
      read_response("HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n").text,
      "[304|1.1|keep|100|Content-Length=100].[204|1.1|keep].");
  EXPECT_EQ(
      read_response("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx").text,
      "[103|1.1|keep|Link=x].[200|1.1|keep|1|Content-Length=1]x.");
  EXPECT_EQ(read_response("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n").text,
            "[304|1.1|keep|chunked|Transfer-Encoding=chunked].");
}

TEST(ResponseParser, NoBodyToHeadEvenAfterInterimResponse) {
  ResponseParser parser;
  parser.expect(true);
  Transcript<ResponseParser> out;
  const std::string interim = "HTTP/1.1 103 Early Hints\r\n\r\n";
  const std::string final = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
  EXPECT_TRUE(feed_all(parser, interim + final, out));
  EXPECT_EQ(out.text, "[103|1.1|keep].[200|1.1|keep|1000|Content-Length=1000].");
  out = {};
  EXPECT_TRUE(feed_all(parser, "HTTP/1.1 200 OK\r\n\r\n", out));
  EXPECT_EQ(out.text, "[200|1.1|keep].") << "a response to HEAD without a length does not run to the close";
  out = {};
  parser.expect(false);
  EXPECT_TRUE(feed_all(parser, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", out));
  EXPECT_EQ(out.text, "[200|1.1|keep|2|Content-Length=2]ab.");
}

TEST(ResponseParser, SwitchingProtocolsIsAnInterimResponse) {
  EXPECT_EQ(read_response("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n").text,
            "[101|1.1|keep|Connection=Upgrade|Upgrade=x].");
}

TEST(ResponseParser, CloseDelimitedBodyEndsAtFinish) {
  ResponseParser parser;
  Transcript<ResponseParser> out;
  EXPECT_TRUE(feed_all(parser, "HTTP/1.1 200 OK\r\n\r\nab", out));
  EXPECT_TRUE(feed_all(parser, "cd", out));
  EXPECT_EQ(out.text, "[200|1.1|close]abcd");
  auto step = parser.finish();
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->event, ParseEvent::complete);
}

TEST(ResponseParser, FinishTellsTruncation) {
  const std::vector<std::string> cut = {"",
                                        "HTTP/1.1 200",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"};
  for (const std::string& text : cut) {
    ResponseParser parser;
    Transcript<ResponseParser> out;
    EXPECT_TRUE(feed_all(parser, text, out));
    auto step = parser.finish();
    ASSERT_FALSE(step.ok()) << text;
    EXPECT_EQ(step.error().code, ErrorCode::upstream_truncated) << text;
    EXPECT_EQ(step.error().side, Side::upstream);
    EXPECT_TRUE(step.error().retry);
  }
}

TEST(ResponseParser, FinishAfterTheEndIsTheEnd) {
  ResponseParser parser;
  const std::string text = "HTTP/1.1 204 No Content\r\n\r\n";
  ASSERT_EQ(parser.feed(as_bytes(text))->event, ParseEvent::head);
  EXPECT_EQ(parser.finish()->event, ParseEvent::complete) << "no byte is missing";
  EXPECT_EQ(parser.finish()->event, ParseEvent::complete);
}

TEST(ResponseParser, KeepAliveRules) {
  EXPECT_THAT(read_response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").text,
              HasSubstr("|close|"));
  EXPECT_THAT(read_response("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").text, HasSubstr("|1.0|close|"));
  EXPECT_THAT(read_response("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n").text,
              HasSubstr("|1.0|keep|"));
}

TEST(ResponseParser, BodyLimit) {
  Limits limits;
  limits.body_bytes_max = 3;
  EXPECT_EQ(read_response("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd", limits).error_code, "upstream_failed");
  EXPECT_EQ(read_response("HTTP/1.1 200 OK\r\n\r\nabcd", limits).error_code, "upstream_failed");
  EXPECT_EQ(read_response("HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n", limits).error_code, "");
}

TEST(ResponseParser, SplitAtEveryPlaceGivesTheSameEvents) {
  const std::vector<std::string> inputs = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\n\r\nhelloHTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
      "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: "
      "x\r\n\r\n",
      "HTTP/1.0 200 OK\r\nServer: x\r\n\r\nuntil the close",
      "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx",
  };
  for (const std::string& input : inputs) {
    const std::string_view view(input);
    const auto whole = read_response(input);
    ASSERT_EQ(whole.error_code, "") << input << whole.detail;
    for (std::size_t a = 0; a <= input.size(); ++a) {
      for (std::size_t b = a; b <= input.size(); b += 3) {
        const auto split = read_pieces<ResponseParser>({view.substr(0, a), view.substr(a, b - a), view.substr(b)});
        ASSERT_EQ(split.text, whole.text) << "split at " << a << " and " << b << ": " << split.detail;
      }
    }
  }
}

struct BadResponse {
  const char* name;
  std::string text;
};

class RefusedResponse : public testing::TestWithParam<BadResponse> {};

TEST_P(RefusedResponse, InOnePieceAndByteByByte) {
  const std::string& text = GetParam().text;
  EXPECT_EQ(read_response(text).error_code, "upstream_failed");
  std::vector<std::string_view> bytes;
  for (std::size_t at = 0; at < text.size(); ++at) bytes.push_back(std::string_view(text).substr(at, 1));
  EXPECT_EQ(read_pieces<ResponseParser>(bytes).error_code, "upstream_failed");
}

const std::string kOk = "HTTP/1.1 200 OK\r\n";

INSTANTIATE_TEST_SUITE_P(
    Rfc9112, RefusedResponse,
    testing::Values(
        // Section 6.3, rules 3 and 5: a response that could be split in two ways poisons a cache.
        BadResponse{"BothFramings", kOk + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        BadResponse{"DifferingContentLengths", kOk + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
        BadResponse{"ContentLengthNotANumber", kOk + "Content-Length: 3x\r\n\r\nabc"},
        BadResponse{"TransferEncodingNotChunked", kOk + "Transfer-Encoding: gzip\r\n\r\nabc"},
        BadResponse{"TransferEncodingInHttp10", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        BadResponse{"BareLf", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"},
        BadResponse{"BareCr", kOk + "X: a\rb\r\n\r\n"}, BadResponse{"Folded", kOk + "X: a\r\n b\r\n\r\n"},
        BadResponse{"BlankBeforeColon", kOk + "Content-Length : 3\r\n\r\nabc"},
        BadResponse{"ControlByteInValue", kOk + "X: \x01\r\n\r\n"},
        BadResponse{"StatusTwoDigits", "HTTP/1.1 20 OK\r\n\r\n"},
        BadResponse{"StatusFourDigits", "HTTP/1.1 2000 OK\r\n\r\n"},
        BadResponse{"StatusBelow100", "HTTP/1.1 099 OK\r\n\r\n"},
        BadResponse{"StatusAbove599", "HTTP/1.1 600 OK\r\n\r\n"},
        BadResponse{"OtherVersion", "HTTP/2.0 200 OK\r\n\r\n"}, BadResponse{"OtherProtocol", "RTSP/1.0 200 OK\r\n\r\n"},
        BadResponse{"NotHttp", "SSH-2.0-OpenSSH_9.2\r\n\r\n"}),
    [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace reelway::http
