#include "cli/http_client.h"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/base/unique_fd.h"

namespace reelway::cli {
namespace {

TEST(ServerError, KnownCodeIsShownAsOurOwn) {
  const Error sent{ErrorCode::title_exists, Side::client, false, "sintel"};
  const Error read = server_error(409, error_json(sent), "POST http://x/");
  EXPECT_EQ(read.code, ErrorCode::title_exists);
  EXPECT_EQ(describe(read), describe(sent));
}

TEST(ServerError, UnknownCodeKeepsItsWords) {
  const Error read = server_error(
      418, R"({"error":{"code":"teapot","message":"it is one","detail":"short","remedy":"pour"}})", "GET http://x/");
  EXPECT_EQ(read.code, ErrorCode::upstream_failed);
  for (const char* part : {"GET http://x/", "teapot", "it is one", "short", "pour"}) {
    EXPECT_NE(read.detail.find(part), std::string::npos) << part;
  }
}

TEST(ServerError, AnyBodyIsRead) {
  for (const char* body : {"", "<html>", "[]", "{}", R"({"error":7})", R"({"error":{"code":7}})", "\xff\xfe"}) {
    const Error read = server_error(502, body, "GET http://x/");
    EXPECT_EQ(read.code, ErrorCode::upstream_failed) << body;
    EXPECT_NE(read.detail.find("502"), std::string::npos) << body;
  }
}

TEST(HttpClient, NamesAServerThatDoesNotListen) {
  const HttpLibrary library;
  // Bound but not listening: a connection to this port is refused for as long as the test holds it.
  const UniqueFd held{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(held.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(held.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string base = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const auto answer = HttpClient{base, "secret-secret-secret"}.get("/v1/titles");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::server_unreachable);
  EXPECT_NE(answer.error().detail.find(base), std::string::npos);
  EXPECT_EQ(answer.error().detail.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace reelway::cli
