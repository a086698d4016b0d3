#include "origin/transcode/thumbnails.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace reelway::origin {
namespace {

std::vector<double> key_frames(double group_s, std::size_t count) {
  std::vector<double> times;
  for (std::size_t n = 0; n < count; ++n) times.push_back(static_cast<double>(n) * group_s);
  return times;
}

TEST(Thumbnails, OneForEachIntervalFromTheNearestKeyFrame) {
  ThumbnailPlan plan;
  plan.group_s = 1001.0 / 500;                                        // 48 pictures at 24000/1001
  EXPECT_EQ(thumbnail_count(key_frames(plan.group_s, 33), plan), 7);  // up to 64.1 s: at 0, 10.01, ... 60.06
  EXPECT_EQ(thumbnail_count(key_frames(plan.group_s, 1), plan), 1);
  EXPECT_EQ(thumbnail_count(key_frames(plan.group_s, 3597), plan), 721);  // two hours, the last at their end
  plan.interval = std::chrono::seconds(4);
  EXPECT_EQ(thumbnail_count(key_frames(plan.group_s, 3597), plan), 1801);
}

TEST(Thumbnails, OneRunMakesAllWidths) {
  ThumbnailPlan plan;
  plan.source = "/film/video-180.mp4";
  plan.folder = "/work/images";
  plan.sizes = {{240, 102}, {320, 136}};
  const auto words = thumbnail_arguments(plan, "/usr/bin/ffmpeg");
  const auto has = [&](const std::string& word) { return std::find(words.begin(), words.end(), word) != words.end(); };
  EXPECT_TRUE(has("nokey") && has("file:/film/video-180.mp4"));
  for (const char* file : {"images-240", "sheets-240", "images-320", "sheets-320"}) {
    EXPECT_TRUE(has("file:/work/images/" + std::string(file) + ".jpegs")) << file;
  }
}

}  // namespace
}  // namespace reelway::origin
