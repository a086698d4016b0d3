#include "origin/client/http_connection.h"

#include <gtest/gtest.h>

#include "origin/client/address_rule.h"
#include "tests/support/raw_origin.h"

namespace reelway::origin {
namespace {

using testing::RawConnection;
using testing::RawOrigin;

HttpTerms terms_for_tests() {
  HttpTerms terms;
  terms.unreachable = ErrorCode::url_unreachable;
  terms.malformed = ErrorCode::url_failed;
  return terms;
}

Result<HttpAnswer> get(HttpConnection& connection, const std::string& host, const RawOrigin& server) {
  Patience patience;
  HttpRequest request;
  request.url = "http://" + host + ":" + std::to_string(server.port()) + "/film?secret=1";
  return connection.exchange(request, patience);
}

TEST(HttpConnection, AnAddressThatMayNotBeUsedIsNeverConnectedTo) {
  RawOrigin server([](int, RawConnection&) {});
  HttpTerms terms = terms_for_tests();
  std::string asked;
  terms.may_connect = [&](const sockaddr& address) -> Result<void> {
    asked = address_text(address);
    return Error{ErrorCode::url_refused, Side::client, false, "not there"};
  };
  HttpConnection connection(terms);
  // A name is judged by what it leads to, as an address is.
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const auto answer = get(connection, host, server);
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, ErrorCode::url_refused);
    EXPECT_TRUE(asked == "127.0.0.1" || asked == "::1") << asked;
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpConnection, AConnectionThatMayBeMadeIsKept) {
  RawOrigin server([](int, RawConnection& connection) {
    while (!connection.read_head().empty()) connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-N: 7\r\n\r\nok");
  });
  HttpTerms terms = terms_for_tests();
  int asked = 0;
  terms.may_connect = [&](const sockaddr&) -> Result<void> {
    ++asked;
    return {};
  };
  HttpConnection connection(terms);
  for (int i = 0; i < 3; ++i) {
    const auto answer = get(connection, "127.0.0.1", server);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->body, "ok");
    EXPECT_EQ(answer->number("x-n"), 7u);
  }
  EXPECT_EQ(asked, 1);
}

TEST(HttpConnection, ErrorsAreCalledAsTheTermsSay) {
  std::string said = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort";
  RawOrigin server([&](int, RawConnection& connection) {
    connection.read_head();
    connection.send(said);
  });
  HttpTerms terms = terms_for_tests();
  terms.limits.body_bytes_max = 10;
  const auto code = [&] {
    HttpConnection connection(terms);
    const auto answer = get(connection, "127.0.0.1", server);
    EXPECT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().detail.find("secret"), std::string::npos);
    return answer.error().code;
  };
  EXPECT_EQ(code(), ErrorCode::upstream_truncated);
  said = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nlong enough";
  EXPECT_EQ(code(), ErrorCode::url_failed);
  said = "this is no HTTP\r\n\r\n";
  EXPECT_EQ(code(), ErrorCode::url_failed);
}

}  // namespace
}  // namespace reelway::origin
