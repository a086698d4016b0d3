#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/common/http/transcript.h"

// Request smuggling and other ambiguities: what two readers could take for different messages is refused. Each case is
// under the section of RFC 9112 that it breaks.

namespace reelway::http {
namespace {

struct BadRequest {
  const char* name;
  std::string text;
  const char* code = "http_malformed";
};

class RefusedRequest : public testing::TestWithParam<BadRequest> {};

TEST_P(RefusedRequest, InOnePieceAndByteByByte) {
  const BadRequest& bad = GetParam();
  const auto whole = read_request(bad.text);
  EXPECT_EQ(whole.error_code, bad.code) << whole.text;
  EXPECT_FALSE(whole.detail.empty());
  std::vector<std::string_view> bytes;
  for (std::size_t at = 0; at < bad.text.size(); ++at) bytes.push_back(std::string_view(bad.text).substr(at, 1));
  EXPECT_EQ(read_pieces<RequestParser>(bytes).error_code, bad.code);
}

const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\n";
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    Rfc9112, RefusedRequest,
    testing::Values(
        // Section 6.1: a message with both is an attempt at smuggling.
        BadRequest{"TransferEncodingAndContentLength",
                   kPost + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        BadRequest{"ContentLengthAfterTransferEncoding",
                   kPost + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"},
        // Section 6.3, rule 5: differing or invalid lengths; a repeated equal one may be refused and is.
        BadRequest{"DifferingContentLengths", kPost + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
        BadRequest{"RepeatedContentLength", kPost + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"},
        BadRequest{"ContentLengthList", kPost + "Content-Length: 3, 3\r\n\r\nabc"},
        BadRequest{"ContentLengthWithSign", kPost + "Content-Length: +3\r\n\r\nabc"},
        BadRequest{"ContentLengthNegative", kPost + "Content-Length: -1\r\n\r\n"},
        BadRequest{"ContentLengthHex", kPost + "Content-Length: 0x3\r\n\r\nabc"},
        BadRequest{"ContentLengthEmpty", kPost + "Content-Length:\r\n\r\n"},
        BadRequest{"ContentLengthWithBlank", kPost + "Content-Length: 1 2\r\n\r\n"},
        BadRequest{"ContentLengthOverflow", kPost + "Content-Length: 18446744073709551616\r\n\r\n"},
        // Section 6.1: chunked is the last coding, once; other codings are not offered (501).
        BadRequest{"TransferEncodingRepeated",
                   kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        BadRequest{"TransferEncodingObfuscated", kPost + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
        BadRequest{"TransferEncodingControlByte", kPost + "Transfer-Encoding: \x0b"
                                                          "chunked\r\n\r\n0\r\n\r\n"},
        BadRequest{"TransferEncodingGzip", kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                   "http_unsupported"},
        BadRequest{"TransferEncodingNotLast", kPost + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
        BadRequest{"TransferEncodingInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        // Section 7.1: the chunked coding.
        BadRequest{"ChunkSizeNotHex", kChunked + "g\r\n"}, BadRequest{"ChunkSizePrefix", kChunked + "0x3\r\nabc\r\n"},
        BadRequest{"ChunkSizeEmpty", kChunked + "\r\nabc\r\n"},
        BadRequest{"ChunkSizeOverflow", kChunked + "10000000000000000\r\n"},
        BadRequest{"ChunkSizeWithBlank", kChunked + "3 \r\nabc\r\n0\r\n\r\n"},
        BadRequest{"ChunkLineBareLf", kChunked + "3\nabc\r\n0\r\n\r\n"},
        BadRequest{"ChunkDataTooLong", kChunked + "3\r\nabcd\r\n0\r\n\r\n"},
        BadRequest{"ChunkEndBareLf", kChunked + "3\r\nabc\n0\r\n\r\n"},
        BadRequest{"TrailerBareLf", kChunked + "0\r\nA: b\n\r\n"},
        // Section 2.2: line ends, and white space before the first field.
        BadRequest{"BareLfAfterRequestLine", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
        BadRequest{"BareLfAfterField", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"},
        BadRequest{"BareLfEndsHead", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
        BadRequest{"OnlyBareLf", "GET / HTTP/1.1\nHost: a\n\n"}, BadRequest{"BareCrInValue", with_host("X: a\rb\r\n")},
        BadRequest{"BareCrBeforeCrLf", with_host("X: a\r\r\n")}, BadRequest{"BareCrInName", with_host("X\rY: a\r\n")},
        BadRequest{"BareLfBeforeRequest", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        BadRequest{"BlankBeforeFirstField", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
        // Section 5.2: obsolete line folding.
        BadRequest{"FoldedWithBlank", with_host("X: a\r\n b\r\n")},
        BadRequest{"FoldedWithTab", with_host("X: a\r\n\tb\r\n")},
        BadRequest{"FoldedEmptyValue", with_host("X:\r\n b\r\n")},
        BadRequest{"FoldedTransferEncoding", kPost + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"},
        // Section 5.1: no white space between name and colon; a name is a token.
        BadRequest{"BlankBeforeColon", with_host("X : a\r\n")},
        BadRequest{"ContentLengthBlankBeforeColon", kPost + "Content-Length : 3\r\n\r\nabc"},
        BadRequest{"NameWithBlank", with_host("X Y: a\r\n")},
        BadRequest{"NameWithControlByte", with_host("X\x01: a\r\n")},
        BadRequest{"NameNotAscii", with_host("X\xe9: a\r\n")}, BadRequest{"NameEmpty", with_host(": a\r\n")},
        BadRequest{"LineWithoutColon", with_host("hello\r\n")},
        BadRequest{"NulInValue", with_host(std::string("X: a\0b\r\n", 8))},
        BadRequest{"ControlByteInValue", with_host("X: a\x1f\r\n")},
        BadRequest{"DeleteInValue", with_host("X: a\x7f\r\n")},
        // Section 3: the request line.
        BadRequest{"TargetWithBlank", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
        BadRequest{"TargetWithTab", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"},
        BadRequest{"TargetWithControlByte", "GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n"},
        BadRequest{"TargetWithNul", std::string("GET /a\0 HTTP/1.1\r\nHost: a\r\n\r\n", 29)},
        BadRequest{"TargetNotAscii", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"},
        BadRequest{"TargetMissing", "GET  HTTP/1.1\r\nHost: a\r\n\r\n"},
        BadRequest{"TargetRelative", "GET a/b HTTP/1.1\r\nHost: a\r\n\r\n"},
        BadRequest{"TwoBlanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
        BadRequest{"TwoBlanksBeforeVersion", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"},
        BadRequest{"BlankAfterVersion", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
        BadRequest{"MethodUnknown", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"},
        BadRequest{"MethodLowerCase", "get / HTTP/1.1\r\nHost: a\r\n\r\n"},
        BadRequest{"VersionMissing", "GET /\r\nHost: a\r\n\r\n", "http_unsupported"},
        BadRequest{"VersionTwoDigits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
        BadRequest{"VersionLowerCase", "GET / http/1.1\r\nHost: a\r\n\r\n"},
        BadRequest{"OtherProtocol", "OPTIONS / RTSP/1.0\r\nHost: a\r\n\r\n"},
        BadRequest{"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        BadRequest{"Http2Request", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "http_unsupported"},
        BadRequest{"TlsHello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8)},
        // Section 3.2: Host.
        BadRequest{"HostMissing", "GET / HTTP/1.1\r\nX: a\r\n\r\n"},
        BadRequest{"HostTwice", "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"},
        BadRequest{"HostTwiceInHttp10", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"},
        BadRequest{"HostWithPath", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
        BadRequest{"HostWithUser", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
        BadRequest{"HostList", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"}),
    [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace reelway::http
