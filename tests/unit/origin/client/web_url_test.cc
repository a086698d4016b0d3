#include "origin/client/web_url.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

WebUrl parsed(std::string_view text) {
  const auto url = parse_web_url(text);
  EXPECT_TRUE(url.ok()) << text << ": " << (url.ok() ? "" : describe(url.error()));
  return url.ok() ? *url : WebUrl{};
}

TEST(WebUrl, WhatIsSecretStandsApart) {
  const WebUrl url = parsed("https://user:p%40ss@Media.Vendor.Example:8443/a%20b/Sintel%20(2010).mov?X-Sig=abc#part");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "media.vendor.example");
  EXPECT_EQ(url.file_name, "Sintel (2010).mov");
  EXPECT_EQ(url.authorization, "Basic dXNlcjpwQHNz");
  EXPECT_TRUE(url.request.ends_with(":8443/a%20b/Sintel%20(2010).mov?X-Sig=abc")) << url.request;
  EXPECT_EQ(url.request.find("p%40ss"), std::string::npos);
  EXPECT_EQ(url.shown, url.request.substr(0, url.request.find('?')));
}

TEST(WebUrl, AnAddressIsTheSameHoweverItIsWritten) {
  for (const char* text : {"http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/"}) {
    EXPECT_EQ(parsed(text).host, "127.0.0.1") << text;
  }
  EXPECT_EQ(parsed("http://[::1]:80/").host, "::1");
  EXPECT_EQ(parsed("http://vendor.example./a").host, "vendor.example");
}

TEST(WebUrl, WhatIsNoUrlOfTheWebIsRefusedWithoutQuotingIt) {
  for (const std::string text :
       {"", "film.mov", "file:///etc/passwd", "ftp://host/film", "gopher://host/", "http://", "http://host/a b?secret",
        "http://host/\r\nsecret", "http://[fe80::1%25eth0]/secret", "http://host:99999/secret"}) {
    const auto url = parse_web_url(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.error().code, ErrorCode::url_refused);
    EXPECT_EQ(url.error().detail.find("secret"), std::string::npos);
  }
  EXPECT_FALSE(parse_web_url("http://host/" + std::string(kWebUrlBytesMax, 'a')).ok());
  EXPECT_FALSE(parse_web_url(std::string_view("http://host\0.example/", 21)).ok());
}

TEST(WebUrl, ARedirectMayBeRelative) {
  const WebUrl from = parsed("https://user:pass@a.example/films/one.mov?sig=1");
  const auto beside = redirected(from, "two.mov?sig=2");
  ASSERT_TRUE(beside.ok());
  EXPECT_EQ(beside->request, "https://a.example/films/two.mov?sig=2");
  EXPECT_EQ(beside->authorization, "");
  const auto elsewhere = redirected(from, "//b.example/x");
  ASSERT_TRUE(elsewhere.ok());
  EXPECT_EQ(elsewhere->host, "b.example");
  for (const char* location : {"ftp://b.example/x", "file:///etc/passwd", "https://u:p@b.example/"}) {
    const auto refused = redirected(from, location);
    ASSERT_FALSE(refused.ok()) << location;
    EXPECT_EQ(refused.error().code, ErrorCode::url_refused);
  }
}

TEST(WebUrl, HostsMatchExactlyOrBelowAName) {
  const std::vector<std::string> patterns{"media.vendor.example", "*.cdn.example", "::1"};
  for (const char* host : {"media.vendor.example", "a.cdn.example", "a.b.cdn.example", "::1"}) {
    EXPECT_TRUE(host_matches(host, patterns)) << host;
  }
  for (const char* host : {"vendor.example", "x.media.vendor.example", "cdn.example", ".cdn.example", "evilcdn.example",
                           "media.vendor.example.evil", ""}) {
    EXPECT_FALSE(host_matches(host, patterns)) << host;
  }
  EXPECT_FALSE(host_matches("media.vendor.example", {}));
}

TEST(WebUrl, APatternIsAHostInLowerCase) {
  for (const char* text : {"a.example", "*.a.example", "10.0.0.1", "::1"}) EXPECT_TRUE(is_host_pattern(text)) << text;
  for (const char* text : {"", "*", "*.", "A.example", "https://a.example", "a.example/", "a.*.example"}) {
    EXPECT_FALSE(is_host_pattern(text)) << text;
  }
}

}  // namespace
}  // namespace reelway::origin
