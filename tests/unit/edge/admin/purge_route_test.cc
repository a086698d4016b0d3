#include "edge/admin/purge_route.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

TEST(PurgeRequestTest, NamesOneThing) {
  const auto by_tag = purge_request("tag=film%2D7&soft=1");
  ASSERT_TRUE(by_tag.ok());
  EXPECT_EQ(by_tag->kind, PurgeRequest::Kind::tag);
  EXPECT_EQ(by_tag->value, "film-7");
  EXPECT_TRUE(by_tag->soft);
  const auto by_prefix = purge_request("prefix=www.example.org%2Fnews%2F&soft=0");
  ASSERT_TRUE(by_prefix.ok());
  EXPECT_EQ(by_prefix->kind, PurgeRequest::Kind::prefix);
  EXPECT_EQ(by_prefix->value, "www.example.org/news/");
  EXPECT_FALSE(by_prefix->soft);
}

TEST(PurgeRequestTest, AnythingElseIsRefused) {
  for (const char* query : {"", "soft=1", "tag=", "url=/a&tag=b", "tag=a&soft=yes", "name=a"}) {
    const auto request = purge_request(query);
    ASSERT_FALSE(request.ok()) << query;
    EXPECT_EQ(request.error().code, ErrorCode::http_bad_request);
  }
}

TEST(PurgeJsonTest, SaysWhatItMatchedWhateverBytesKeysHold) {
  PurgeResult result;
  result.objects = 2;
  result.disk_objects = 2;
  result.keys = {"s|h|/a", "s|h|/\xff"};
  const std::string json = purge_json("edge-a", {PurgeRequest::Kind::url, "/a", true}, result);
  EXPECT_EQ(json.find(R"({"edge_id":"edge-a","by":"url","value":"/a","soft":true,"objects":2,"memory_objects":0,)"),
            0u);
  EXPECT_NE(json.find(R"("truncated":false)"), std::string::npos);
}

}  // namespace
}  // namespace reelway::edge
