#include "loadtest/url.h"

#include <gtest/gtest.h>

namespace reelway::loadtest {
namespace {

TEST(Url, TakesApart) {
  const auto url = parse_url("http://127.0.0.1:8090/t/x/film/v1/init.mp4?a=b");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->host, "127.0.0.1");
  EXPECT_EQ(url->port, "8090");
  EXPECT_EQ(url->target, "/t/x/film/v1/init.mp4?a=b");
  EXPECT_EQ(url->authority(), "127.0.0.1:8090");
}

TEST(Url, FillsInPortAndTarget) {
  const auto url = parse_url("http://localhost");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->port, "80");
  EXPECT_EQ(url->target, "/");
}

TEST(Url, RefusesWhatIsNotSent) {
  for (const char* text :
       {"", "https://h/", "http://", "http:///x", "http://:80/", "http://h:0/", "http://h:65536/", "http://h:8x/",
        "http://h:/", "http://user@h/", "http://[::1]/", "http://h/a b", "http://h/a#f", "http://h/a\nb"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.error().code, ErrorCode::usage) << text;
  }
}

TEST(Url, ResolvesNumericAddresses) {
  const auto address = resolve(*parse_url("http://127.0.0.2:81/"));
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(address->sin_port, htons(81));
  EXPECT_EQ(ntohl(address->sin_addr.s_addr), 0x7f000002u);
}

}  // namespace
}  // namespace reelway::loadtest
