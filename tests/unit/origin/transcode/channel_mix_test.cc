#include "origin/transcode/channel_mix.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace reelway::origin {
namespace {

TEST(ChannelMix, LayoutsAreKnownByNameOrByTheirUsualNumber) {
  EXPECT_EQ(known_layout("5.1(side)", 6), "5.1(side)");
  EXPECT_EQ(known_layout("", 6), "5.1");
  EXPECT_EQ(known_layout("unknown", 2), "stereo");
  EXPECT_EQ(known_layout("", 8), "7.1");
  // What contradicts itself, or has no place in a room, is not known.
  EXPECT_EQ(known_layout("5.1", 2), "");
  EXPECT_EQ(known_layout("hexadecagonal", 16), "");
  EXPECT_EQ(known_layout("", 0), "");
  EXPECT_EQ(known_layout("stereo,volume=0", 2), "");
}

TEST(ChannelMix, StereoIsMixedByTheWeightsOfBs775WithoutTheBassChannel) {
  EXPECT_EQ(stereo_mix("5.1(side)"),
            "aformat=sample_fmts=fltp:channel_layouts=5.1(side),pan=stereo|FL=FL+0.70711*FC+0.70711*SL|FR=FR+0.70711*"
            "FC+0.70711*SR");
  EXPECT_EQ(stereo_mix("7.1").substr(stereo_mix("7.1").find("pan=")),
            "pan=stereo|FL=FL+0.70711*FC+0.70711*SL+0.50000*BL|FR=FR+0.70711*FC+0.70711*SR+0.50000*BR");
  EXPECT_EQ(stereo_mix("stereo"), "");
  EXPECT_EQ(stereo_mix(""), "");
  EXPECT_NE(stereo_mix("mono").find("pan=stereo|FL=FC|FR=FC"), std::string::npos);
}

TEST(ChannelMix, SurroundIsOnlyMadeOfSurround) {
  for (const char* layout : {"mono", "stereo", "2.1", "3.1", "quad", "4.1", "5.0", "5.0(side)", "7.0", ""}) {
    EXPECT_EQ(surround_mix(layout), "") << layout;
    EXPECT_FALSE(is_mixed_to_surround(layout)) << layout;
  }
  for (const char* layout : {"5.1", "5.1(side)", "6.1", "7.1"}) EXPECT_NE(surround_mix(layout), "") << layout;
  EXPECT_NE(surround_mix("7.1").find("|LFE=LFE|SL=SL+0.70711*BL|SR=SR+0.70711*BR"), std::string::npos);
  EXPECT_NE(surround_mix("5.1").find("|SL=BL|SR=BR"), std::string::npos);
  EXPECT_FALSE(is_mixed_to_surround("5.1"));
  EXPECT_TRUE(is_mixed_to_surround("7.1"));
}

// A constant in each channel comes out as its weight: FFmpeg understands the filters, and puts channels where they
// belong.
std::vector<double> mixed(const std::string& layout, const std::string& mix, int loud_channel, int channels,
                          int outputs) {
  const TemporaryFolder folder;
  std::string values;
  for (int i = 0; i < channels; ++i) values += std::string(i == 0 ? "" : "|") + (i == loud_channel ? "0.5" : "0");
  const std::string command = "/usr/bin/ffmpeg -v error -nostdin -y -f lavfi -i \"aevalsrc=" + values + ":c=" + layout +
                              ":d=0.01\" -af \"" + mix + "\" -c:a pcm_f32le -f f32le " + folder.at("out");
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  std::ifstream file(folder.at("out"), std::ios::binary);
  std::vector<float> samples(static_cast<std::size_t>(outputs));
  file.read(reinterpret_cast<char*>(samples.data()), static_cast<std::streamsize>(samples.size() * sizeof(float)));
  EXPECT_TRUE(file.good());
  std::vector<double> weights;
  for (const float sample : samples) weights.push_back(sample / 0.5);
  return weights;
}

void expect_weights(const std::string& layout, const std::string& mix, int channels,
                    const std::vector<std::vector<double>>& expected) {
  for (int channel = 0; channel < channels; ++channel) {
    const std::vector<double>& wanted = expected[static_cast<std::size_t>(channel)];
    const std::vector<double> found = mixed(layout, mix, channel, channels, static_cast<int>(wanted.size()));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_NEAR(found[i], wanted[i], 1e-4) << layout << " channel " << channel << " to " << i;
    }
  }
}

TEST(ChannelMix, FfmpegMixesAsWritten) {
  constexpr double h = 0.70711;
  expect_weights("5.1", stereo_mix("5.1"), 6, {{1, 0}, {0, 1}, {h, h}, {0, 0}, {h, 0}, {0, h}});
  expect_weights("mono", stereo_mix("mono"), 1, {{1, 1}});
  // L R C LFE Ls Rs of 5.1(side); the source's pairs are back, then side.
  expect_weights("7.1", surround_mix("7.1"), 8,
                 {{1, 0, 0, 0, 0, 0},
                  {0, 1, 0, 0, 0, 0},
                  {0, 0, 1, 0, 0, 0},
                  {0, 0, 0, 1, 0, 0},
                  {0, 0, 0, 0, h, 0},
                  {0, 0, 0, 0, 0, h},
                  {0, 0, 0, 0, 1, 0},
                  {0, 0, 0, 0, 0, 1}});
}

}  // namespace
}  // namespace reelway::origin
