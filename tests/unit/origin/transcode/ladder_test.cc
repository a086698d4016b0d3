#include "origin/transcode/ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

std::vector<std::string> sizes(std::uint32_t width, std::uint32_t height) {
  std::vector<std::string> list;
  for (const Rung& rung : ladder(width, height, 25)) {
    list.push_back(std::to_string(rung.width) + "x" + std::to_string(rung.height));
  }
  return list;
}

using testing::ElementsAre;

TEST(Ladder, FitsUsualSources) {
  EXPECT_THAT(sizes(1920, 1080), ElementsAre("1920x1080", "1280x720", "960x540", "640x360", "426x240"));
  EXPECT_THAT(sizes(1280, 720), ElementsAre("1280x720", "960x540", "640x360", "426x240"));
  EXPECT_THAT(sizes(640, 360), ElementsAre("640x360", "426x240"));
}

TEST(Ladder, LargestIsFullHdForLargerSources) {
  EXPECT_THAT(sizes(3840, 2160), ElementsAre("1920x1080", "1280x720", "960x540", "640x360", "426x240"));
}

TEST(Ladder, KeepsTheAspectOfWideFilms) {
  EXPECT_THAT(sizes(1920, 800), ElementsAre("1920x800", "1280x534", "960x400", "640x266", "426x178"));
}

TEST(Ladder, OldTelevisionKeepsItsOwnSizeOnTop) {
  EXPECT_THAT(sizes(640, 480), ElementsAre("640x480", "480x360", "320x240"));
  EXPECT_THAT(sizes(768, 576), ElementsAre("720x540", "480x360", "320x240"));
}

TEST(Ladder, UprightFilmsStandInUprightBoxes) {
  EXPECT_THAT(sizes(1080, 1920), ElementsAre("1080x1920", "720x1280", "540x960", "360x640", "240x426"));
}

TEST(Ladder, SmallSourcesGetWhatTheyHave) {
  EXPECT_THAT(sizes(320, 240), ElementsAre("320x240", "214x160"));
  EXPECT_THAT(sizes(160, 90), ElementsAre("160x90"));
}

TEST(Ladder, OddLinesAreLeftOut) {
  EXPECT_THAT(sizes(641, 361), ElementsAre("640x360", "426x240"));
}

TEST(Ladder, FasterFilmsGetMoreBits) {
  EXPECT_GT(ladder(1280, 720, 50)[0].bits_per_second, ladder(1280, 720, 25)[0].bits_per_second);
}

// What must hold for any source: nothing larger than it, even sizes, heights and bit rates that fall.
TEST(Ladder, HoldsItsRulesForAllSizes) {
  for (std::uint32_t width = 16; width < 4200; width += 37) {
    for (std::uint32_t height = 16; height < 2400; height += 31) {
      const std::vector<Rung> rungs = ladder(width, height, 30);
      ASSERT_FALSE(rungs.empty());
      for (std::size_t i = 0; i < rungs.size(); ++i) {
        ASSERT_LE(rungs[i].width, width) << width << "x" << height;
        ASSERT_LE(rungs[i].height, height) << width << "x" << height;
        ASSERT_EQ(rungs[i].width % 2 + rungs[i].height % 2, 0u);
        ASSERT_EQ(rungs[i].track_id, "video/" + std::to_string(rungs[i].height));
        if (i == 0) continue;
        ASSERT_LT(rungs[i].height, rungs[i - 1].height);
        ASSERT_LE(rungs[i].bits_per_second, rungs[i - 1].bits_per_second);
      }
    }
  }
}

}  // namespace
}  // namespace reelway::origin
