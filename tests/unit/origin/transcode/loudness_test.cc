#include "origin/transcode/loudness.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace reelway::origin {
namespace {

SoundLevel levelled(double lufs, double peak_dbtp, bool is_mixed = false, LoudnessOptions options = {}) {
  return level_sound(SoundMeasure{lufs, peak_dbtp}, is_mixed, options);
}

TEST(LevelSound, BringsATrackToItsTarget) {
  const SoundLevel soft = levelled(-35, -20), loud = levelled(-14, -1);
  EXPECT_EQ(soft.end, LevelEnd::reached);
  EXPECT_EQ(soft.gain_millibels, 1100);
  EXPECT_EQ(soft.target_lufs, -24);
  EXPECT_EQ(loud.end, LevelEnd::reached);
  EXPECT_EQ(loud.gain_millibels, -1000);
}

TEST(LevelSound, PeaksStayBelowTheCeiling) {
  const SoundLevel level = levelled(-35, -8.004);
  EXPECT_EQ(level.end, LevelEnd::peak);
  EXPECT_EQ(level.gain_millibels, 600);  // rounded down
  // A film at its target whose peaks are over the ceiling is made softer.
  EXPECT_EQ(levelled(-24, 0).gain_millibels, -200);
  EXPECT_EQ(levelled(-24, 0).end, LevelEnd::peak);
  // What is cut anyway has room.
  EXPECT_EQ(levelled(-14, 0).end, LevelEnd::reached);
}

TEST(LevelSound, GainIsLimited) {
  EXPECT_EQ(levelled(-60, -50).gain_millibels, 2000);
  EXPECT_EQ(levelled(-60, -50).end, LevelEnd::limit);
  EXPECT_EQ(levelled(10, 12).gain_millibels, -3000);
  EXPECT_EQ(levelled(10, 12).end, LevelEnd::limit);
}

TEST(LevelSound, SilenceAndTheUnmeasuredAreLeftAlone) {
  EXPECT_EQ(levelled(-70, -200).end, LevelEnd::silent);
  EXPECT_EQ(levelled(-70, -200).gain_millibels, 0);
  EXPECT_EQ(level_sound(std::nullopt, false, {}).end, LevelEnd::unmeasured);
  EXPECT_EQ(level_sound(std::nullopt, false, {}).gain_millibels, 0);
}

TEST(LevelSound, WithoutATargetOnlyMixesAreBroughtBelowTheCeiling) {
  const LoudnessOptions off{std::nullopt, -2};
  EXPECT_EQ(levelled(-35, 0, false, off).gain_millibels, 0);
  EXPECT_EQ(levelled(-35, 0, false, off).end, LevelEnd::off);
  EXPECT_EQ(levelled(-35, 3, true, off).gain_millibels, -500);
  EXPECT_EQ(levelled(-35, -5, true, off).gain_millibels, 0);
  EXPECT_FALSE(levelled(-35, -5, true, off).target_lufs);
}

TEST(SoundLevel, SurvivesItsRecord) {
  for (const SoundLevel& level : {levelled(-35, -20), level_sound(std::nullopt, true, {}), SoundLevel{}}) {
    const auto parsed = parse_level("/v1/x", level_value(level));
    ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
    EXPECT_EQ(*parsed, level);
  }
  for (const char* broken :
       {R"({"end":"high","gain_millibels":0})", R"({"end":"peak"})", R"([])",
        R"({"end":"peak","gain_millibels":123456})", R"({"end":"peak","gain_millibels":0,"measured_lufs":-3})"}) {
    EXPECT_FALSE(parse_level("/v1/x", nlohmann::json::parse(broken)).ok()) << broken;
  }
}

}  // namespace
}  // namespace reelway::origin
