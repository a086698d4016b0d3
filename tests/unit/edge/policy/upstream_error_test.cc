#include "edge/policy/upstream_error.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

TEST(UpstreamErrorTest, NotFoundPassesThroughUnderItsName) {
  EXPECT_EQ(upstream_error(404, "title_not_found", "/f/v1/x").code, ErrorCode::title_not_found);
  EXPECT_EQ(upstream_error(404, "packaging_not_offered", "/f/v1/x").code, ErrorCode::packaging_not_offered);
  EXPECT_EQ(upstream_error(404, "version_not_found", "/f/v1/x").code, ErrorCode::version_not_found);
  EXPECT_EQ(upstream_error(404, "token_expired", "/f/v1/x").code, ErrorCode::http_not_found);
  EXPECT_EQ(upstream_error(410, std::nullopt, "/f/v1/x").code, ErrorCode::http_not_found);
}

TEST(UpstreamErrorTest, EverythingElseIsTheUpstreamsFault) {
  const Error refused = upstream_error(403, "not_an_edge", "/f/v1/x");
  EXPECT_EQ(refused.code, ErrorCode::upstream_failed);
  EXPECT_EQ(refused.side, Side::upstream);
  EXPECT_FALSE(refused.retry);
  EXPECT_EQ(refused.detail, "status 403 not_an_edge for /f/v1/x");
  EXPECT_TRUE(upstream_error(503, "overloaded", "/f/v1/x").retry);
  EXPECT_EQ(upstream_error(302, std::nullopt, "/f/v1/x").code, ErrorCode::upstream_failed);
}

TEST(UpstreamErrorTest, AnUnknownNameIsNotRepeated) {
  EXPECT_EQ(upstream_error(500, "<script>", "/f/v1/x").detail, "status 500 for /f/v1/x");
}

}  // namespace
}  // namespace reelway::edge
