#include "edge/policy/invalidation.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

using Targets = std::vector<std::string>;

Targets invalidated(std::string_view method, std::uint16_t status, const std::vector<http::Header>& fields = {}) {
  http::ResponseHead answer;
  answer.status = status;
  for (const http::Header& field : fields) answer.headers.add(field.name, field.value);
  return invalidated_targets(method, "cdn.example:8080", "/a/b?c=1", answer);
}

TEST(InvalidationTest, OnlyUnsafeMethodsThatSucceeded) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "get"}) {
    EXPECT_FALSE(is_safe_method(method));
    for (const std::uint16_t status : {200, 204, 303, 399}) EXPECT_EQ(invalidated(method, status), Targets{"/a/b?c=1"});
    for (const std::uint16_t status : {400, 404, 500, 503}) EXPECT_EQ(invalidated(method, status), Targets{});
  }
  for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE"}) EXPECT_EQ(invalidated(method, 200), Targets{});
}

TEST(InvalidationTest, LocationsOfTheSameHostToo) {
  EXPECT_EQ(invalidated("POST", 201, {{"Location", "/new"}, {"Content-Location", "http://CDN.example:8080/x?y#z"}}),
            (Targets{"/a/b?c=1", "/new", "/x?y"}));
  EXPECT_EQ(invalidated("POST", 201, {{"Location", "http://other.example/new"}, {"Content-Location", "/a/b?c=1"}}),
            Targets{"/a/b?c=1"});
}

struct Case {
  const char* reference;
  const char* target;
};

TEST(InvalidationTest, ReferencesAreResolved) {
  for (const Case& test : {
           Case{"", "/a/b?c=1"},
           {"d", "/a/d"},
           {"d/./e?f", "/a/d/e?f"},
           {"../d", "/d"},
           {"../../../d/..", "/"},
           {"./", "/a/"},
           {"?x", "/a/b?x"},
           {"#x", "/a/b?c=1"},
           {"/d/../e", "/e"},
           {"//h/d", "/d"},
           {"//h", "/"},
           {"http://h?q", "/?q"},
           {"https://H/d", "/d"},
           {"http://h:80/d", "/d"},
           {"http://h:81/d", ""},
           {"http:d", ""},
           {"mailto:a@h", ""},
           {"d?u=http://x/../y", "/a/d?u=http://x/../y"},
           {"d:e", ""},
           {"./d:e", "/a/d:e"},
       }) {
    EXPECT_EQ(target_on_host(test.reference, "h", "/a/b?c=1"), test.target) << test.reference;
  }
}

}  // namespace
}  // namespace reelway::edge
