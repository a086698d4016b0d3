#include "edge/policy/cache_key.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

TEST(CacheKeyTest, IsTheObjectPathAndTheView) {
  EXPECT_EQ(cache_key("/film/v1/video/720/3.m4s", kViewAll), "/film/v1/video/720/3.m4s|all");
}

TEST(CacheKeyTest, TextsHaveTwoFormsHoweverTheyAreAskedFor) {
  EXPECT_EQ(cache_key("/film/v1/master.m3u8", "h480", Coding::gzip), "/film/v1/master.m3u8|h480|gzip");
  for (const char* path : {"/film/v1/master.m3u8", "/film/v1/manifest.mpd", "/film/v1/subtitles/en/0.vtt"}) {
    for (const char* value : {"gzip", "gzip, deflate, br, zstd", "br;q=1, gzip;q=0.2", "*"}) {
      EXPECT_EQ(coding_for(path, value), Coding::gzip) << path << " " << value;
    }
    for (const char* value : {"", "br", "identity", "gzip;q=0"}) {
      EXPECT_EQ(coding_for(path, value), Coding::identity) << path << " " << value;
    }
    EXPECT_EQ(coding_for(path, std::nullopt), Coding::identity);
  }
  EXPECT_EQ(coding_for("/film/v1/video/720/3.m4s", "gzip"), Coding::identity);
  EXPECT_FALSE(has_codings("/film/v1/video/720/init.mp4"));
}

}  // namespace
}  // namespace reelway::edge
