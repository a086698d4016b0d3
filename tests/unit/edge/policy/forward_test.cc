#include "edge/policy/forward.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

using Fields = std::vector<http::Header>;

std::string forwarded(const Fields& fields, const ForwardRequest& forward) {
  http::RequestHead request;
  for (const http::Header& field : fields) request.headers.add(field.name, field.value);
  return request_lines(request, forward);
}

http::ResponseHead response(const Fields& fields, std::uint16_t status = 200) {
  http::ResponseHead head;
  head.status = status;
  for (const http::Header& field : fields) head.headers.add(field.name, field.value);
  return head;
}

TEST(ForwardTest, EndToEndFieldsGoUpstreamInOrder) {
  EXPECT_EQ(forwarded({{"Host", "h"}, {"X", "1"}, {"Cookie", "a=b"}, {"x", "2"}, {"Authorization", "Basic z"}},
                      {"edge", "", true}),
            "X: 1\r\nCookie: a=b\r\nx: 2\r\nAuthorization: Basic z\r\nVia: 1.1 edge\r\n");
}

TEST(ForwardTest, WhatBelongsToTheConnectionStays) {
  EXPECT_EQ(forwarded({{"Connection", "close, X-Secret"},
                       {"x-secret", "1"},
                       {"Keep-Alive", "5"},
                       {"TE", "trailers"},
                       {"Trailer", "Foo"},
                       {"Transfer-Encoding", "chunked"},
                       {"Upgrade", "h2c"},
                       {"Proxy-Authorization", "x"},
                       {"Proxy-Connection", "close"},
                       {"Expect", "100-continue"},
                       {"Content-Length", "3"},
                       {"Reelway-View", "all"},
                       {"reelway-anything", "x"},
                       {"A", "b"}},
                      {"edge", "", true}),
            "A: b\r\nVia: 1.1 edge\r\n");
}

TEST(ForwardTest, TheWayIsWrittenDown) {
  EXPECT_EQ(forwarded({{"Via", "1.0 first"}, {"X-Forwarded-For", "10.0.0.1"}}, {"edge", "192.0.2.7", true}),
            "Via: 1.0 first, 1.1 edge\r\nX-Forwarded-For: 10.0.0.1, 192.0.2.7\r\n");
}

TEST(ForwardTest, ForTheStoreTheWholeIsAskedForUnconditionally) {
  const Fields fields = {{"Range", "bytes=0-1"},     {"If-Range", "\"a\""}, {"If-None-Match", "\"a\""},
                         {"If-Modified-Since", "x"}, {"If-Match", "*"},     {"If-Unmodified-Since", "x"}};
  EXPECT_EQ(forwarded(fields, {"edge", "", true}), "Via: 1.1 edge\r\n");
  EXPECT_EQ(forwarded(fields, {"edge", "", false}),
            "Range: bytes=0-1\r\nIf-Range: \"a\"\r\nIf-None-Match: \"a\"\r\nIf-Modified-Since: x\r\nIf-Match: *\r\n"
            "If-Unmodified-Since: x\r\nVia: 1.1 edge\r\n");
}

TEST(ForwardTest, AResponseIsKeptWithoutWhatBelongsToItsConnection) {
  const StoredHead stored = stored_head(response({{"Content-Type", "text/plain"},
                                                  {"Cache-Control", "max-age=5"},
                                                  {"cache-control", "public"},
                                                  {"ETag", "\"a\""},
                                                  {"Last-Modified", "then"},
                                                  {"Content-Encoding", "gzip"},
                                                  {"Connection", "a, b"},
                                                  {"A", "1"},
                                                  {"C", "3"},
                                                  {"Content-Length", "5"},
                                                  {"Date", "now"},
                                                  {"Age", "3"},
                                                  {"Transfer-Encoding", "chunked"},
                                                  {"Proxy-Authenticate", "x"},
                                                  {"Reelway-Error", "x"},
                                                  {"Set-Cookie", "a=b"},
                                                  {"Set-Cookie", "c=d"}}));
  EXPECT_EQ(stored.content_type, "text/plain");
  EXPECT_EQ(stored.cache_control, "max-age=5, public");
  EXPECT_EQ(stored.etag, "\"a\"");
  EXPECT_EQ(stored.last_modified, "then");
  EXPECT_EQ(stored.content_encoding, "gzip");
  EXPECT_EQ(stored.headers, "C: 3\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n");
}

TEST(ForwardTest, A304ReplacesWhatItCarries) {
  const StoredHead stored = stored_head(response({{"Content-Type", "text/plain"},
                                                  {"ETag", "\"a\""},
                                                  {"Cache-Control", "max-age=5"},
                                                  {"Content-Encoding", "gzip"},
                                                  {"X", "1"},
                                                  {"X", "2"},
                                                  {"Y", "3"},
                                                  {"Content-Range", "bytes 0-1/2"},
                                                  {"Content-MD5", "m"}}));
  const StoredHead fresh = freshened_head(stored, response({{"ETag", "\"a\""},
                                                            {"Cache-Control", "max-age=9"},
                                                            {"x", "4"},
                                                            {"Content-Length", "0"},
                                                            {"Content-Encoding", "br"},
                                                            {"Content-Range", "bytes 0-5/6"},
                                                            {"Content-MD5", "n"},
                                                            {"Content-Digest", "d"},
                                                            {"Z", "5"},
                                                            {"Connection", "Y"},
                                                            {"Y", "no"}},
                                                           304));
  EXPECT_EQ(fresh.content_type, "text/plain");
  EXPECT_EQ(fresh.etag, "\"a\"");
  EXPECT_EQ(fresh.cache_control, "max-age=9");
  EXPECT_EQ(fresh.content_encoding, "gzip");
  EXPECT_EQ(fresh.headers, "Y: 3\r\nContent-Range: bytes 0-1/2\r\nContent-MD5: m\r\nx: 4\r\nZ: 5\r\n");
}

TEST(ForwardTest, AFreshenedResponseIsJudgedByBothHeads) {
  constexpr std::int64_t kNowMs = 1'800'000'000'000;
  const StoredHead stored = stored_head(response({{"Cache-Control", "max-age=60"}, {"ETag", "\"a\""}}));
  const StoringRequest request{CachingRules::site};
  const http::ResponseHead silent = response({{"Age", "10"}}, 304);
  const FreshnessVerdict kept = judge_freshened(request, 200, freshened_head(stored, silent), silent, kNowMs);
  EXPECT_TRUE(kept.store);
  EXPECT_EQ(kept.fresh_until_ms, kNowMs + 50'000);
  const http::ResponseHead longer = response({{"Cache-Control", "max-age=600"}}, 304);
  EXPECT_EQ(judge_freshened(request, 404, freshened_head(stored, longer), longer, kNowMs).fresh_until_ms,
            kNowMs + 600'000);
  const http::ResponseHead never = response({{"Cache-Control", "no-store"}}, 304);
  EXPECT_FALSE(judge_freshened(request, 200, freshened_head(stored, never), never, kNowMs).store);
}

}  // namespace
}  // namespace reelway::edge
