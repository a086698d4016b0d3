#include "origin/quality/container_facts.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

ContainerScan scanned(std::initializer_list<const char*> lines) {
  ContainerScan scan;
  for (const char* line : lines) scan.add(line);
  EXPECT_TRUE(scan.finish().ok());
  return scan;
}

// As ffprobe 5.1 prints them.
TEST(ContainerFacts, ReadsStreamsAndPackets) {
  const ContainerScan scan = scanned(
      {"packet|codec_type=video|stream_index=0|pts_time=0.000000|dts_time=-0.080000|duration_time=0.040000|flags=K_",
       "packet|codec_type=video|stream_index=0|pts_time=0.080000|dts_time=-0.040000|duration_time=0.040000|flags=__",
       "packet|codec_type=video|stream_index=0|pts_time=0.040000|dts_time=0.000000|duration_time=0.040000|flags=_C",
       "packet|codec_type=audio|stream_index=1|pts_time=-0.021333|dts_time=N/A|duration_time=0.021333|flags=KD",
       "packet|codec_type=audio|stream_index=1|pts_time=0.200000|dts_time=0.2|duration_time=0.021333|flags=K_",
       "packet|codec_type=audio|stream_index=1|pts_time=0.500000|dts_time=0.5|duration_time=0.021333|flags=K_",
       "stream|index=0|codec_name=h264|codec_type=video|width=1280|height=720|disposition:default=1",
       "stream|index=1|codec_name=ac3|codec_type=audio|channels=6|channel_layout=5.1(side)|disposition:default=0|"
       "tag:language=eng|tag:title=a\\|b\\=c",
       "stream|index=1|codec_name=named|codec_type=again"});
  ASSERT_EQ(scan.streams().size(), 2);
  const StreamFacts& sound = *scan.stream(1);
  EXPECT_EQ(sound.codec, "ac3");
  EXPECT_EQ(sound.channels, 6);
  EXPECT_EQ(sound.layout, "5.1(side)");
  EXPECT_EQ(sound.title, "a|b=c");
  EXPECT_EQ(scan.stream(0)->width, 1280);
  EXPECT_EQ(scan.packets(0).times, (std::vector<double>{0, 0.04, 0.08}));
  EXPECT_EQ(scan.packets(0).key_times, (std::vector<double>{0}));
  EXPECT_TRUE(scan.packets(0).begins_with_key);
  EXPECT_EQ(scan.packets(0).corrupt, 1);
  EXPECT_NEAR(scan.packets(1).begin_s, 0.2, 1e-9);  // what is discarded is not heard
  ASSERT_EQ(scan.packets(1).holes.size(), 1);
  EXPECT_NEAR(scan.packets(1).holes[0].second, 0.5, 1e-9);
  EXPECT_EQ(scan.packets(9).packets, 0);
}

TEST(ContainerFacts, TakesAnyLine) {
  const ContainerScan scan = scanned({"", "|", "packet", "packet|stream_index=-1", "packet|stream_index=99",
                                      "packet|stream_index=0|pts_time=nan|dts_time=inf", "stream|index=x",
                                      "stream|index=3|width=1e300", "\\", "packet|stream_index=0|flags"});
  EXPECT_EQ(scan.packets(0).packets, 2);
  EXPECT_EQ(scan.stream(3)->width, 100'000);
}

}  // namespace
}  // namespace reelway::origin
