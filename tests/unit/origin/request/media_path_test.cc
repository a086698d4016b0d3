#include "origin/request/media_path.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

TEST(MediaPath, IsTitleVersionAndResource) {
  const auto parts = parse_media_path("/film-1/v2/video/720/0.m4s");
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(parts->title, "film-1");
  EXPECT_EQ(parts->version, "v2");
  EXPECT_EQ(parts->resource, "video/720/0.m4s");
}

TEST(MediaPath, AnythingElseIsNotFound) {
  for (const char* path : {"", "/", "film/v1/x", "/film", "/film/v1", "/film/v1/", "/film/1/x", "/film/v0/x", "//v1/x",
                           "/Film/v1/x", "/../v1/x", "/film//x", "/-film/v1/x"}) {
    const auto parts = parse_media_path(path);
    ASSERT_FALSE(parts.ok()) << path;
    EXPECT_EQ(parts.error().code, ErrorCode::http_not_found) << path;
  }
}

}  // namespace
}  // namespace reelway::origin
