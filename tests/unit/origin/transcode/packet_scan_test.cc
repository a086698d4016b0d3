#include "origin/transcode/packet_scan.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

SourceFacts announced(double seconds, const char* format = "mov,mp4,m4a") {
  SourceFacts facts;
  facts.format = format;
  facts.duration_s = seconds;
  facts.video.stream = 0;
  facts.video.stated_end_s = seconds;
  facts.audio.push_back({1, "en", "", true, seconds});
  return facts;
}

TEST(PacketScan, FindsWhereTheStreamsEnd) {
  PacketScan scan;
  for (const char* line : {"0,0.000000,0.040000,K_", "1,0.000000,0.021333,K_", "0,0.080000,0.040000,__,", "",
                           "0,0.040000,0.040000,__", "1,0.021333,0.021333,K_", "7,N/A,N/A,__", "x,1,1", "-3,1,1"}) {
    scan.add(line);
  }
  SourceFacts facts = announced(0.12);
  ASSERT_TRUE(scan.conclude(facts, "").ok());
  EXPECT_NEAR(facts.video_end_s, 0.12, 1e-9);
  EXPECT_NEAR(facts.audio_end_s, 0.042666, 1e-9);
}

TEST(PacketScan, MissingEndIsTruncated) {
  PacketScan scan;
  scan.add("0,4.960000,0.040000,K_");
  scan.add("1,4.960000,0.040000,K_");
  SourceFacts facts = announced(10);
  EXPECT_EQ(scan.conclude(facts, "").error().code, ErrorCode::media_truncated);
  // A container that only estimates its length announces nothing.
  SourceFacts estimated = announced(10, "mpegts");
  EXPECT_TRUE(scan.conclude(estimated, "").ok());
  SourceFacts close = announced(5.5);
  EXPECT_TRUE(scan.conclude(close, "").ok());
  EXPECT_EQ(scan.conclude(close, "[mov @ 0x5] stream 0, offset 0x1f: partial file\n").error().code,
            ErrorCode::media_truncated);
}

TEST(PacketScan, NothingIsNoDuration) {
  SourceFacts facts = announced(0);
  EXPECT_EQ(PacketScan().conclude(facts, "").error().code, ErrorCode::media_zero_duration);
}

TEST(PacketScan, SilentTrackIsNoAudio) {
  PacketScan scan;
  scan.add("0,0.000000,5.000000,K_");
  SourceFacts facts = announced(5);
  EXPECT_EQ(scan.conclude(facts, "").error().code, ErrorCode::media_no_audio);
}

}  // namespace
}  // namespace reelway::origin
