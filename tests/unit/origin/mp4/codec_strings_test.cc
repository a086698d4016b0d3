#include "origin/mp4/codec_strings.h"

#include <gtest/gtest.h>

#include "common/base/encoding.h"
#include "origin/mp4/sample_entry.h"
#include "tests/support/moov.h"

namespace reelway::origin::mp4 {
namespace {

Bytes bytes_of(std::string_view text) {
  return from_hex(text).value();
}

Result<SampleEntry> aac_of(const Bytes& config) {
  ByteWriter stsd;
  stsd.u32(0);
  stsd.u32(1);
  stsd.append(test::aac_entry(config));
  return parse_audio_entry(stsd.bytes());
}

TEST(AvcName, ComesFromTheConfiguration) {
  EXPECT_EQ(*avc_codec_string(four_cc("avc1"), bytes_of("0164001fffe100")), "avc1.64001f");
  EXPECT_EQ(*avc_codec_string(four_cc("avc3"), bytes_of("0142c00dffe100")), "avc3.42c00d");
  EXPECT_FALSE(avc_codec_string(four_cc("avc1"), bytes_of("0264001fffe100")).ok());
  EXPECT_FALSE(avc_codec_string(four_cc("avc1"), bytes_of("0164001f")).ok());
}

TEST(HevcName, ReversesFlagsAndDropsTrailingZeros) {
  EXPECT_EQ(*hevc_codec_string(four_cc("hvc1"), bytes_of("0101600000009000000000005d")), "hvc1.1.6.L93.90");
  EXPECT_EQ(*hevc_codec_string(four_cc("hvc1"), bytes_of("010220000000b0000000000099")), "hvc1.2.4.L153.B0");
  EXPECT_EQ(*hevc_codec_string(four_cc("hev1"), bytes_of("0162200000000000000000007b")), "hev1.A2.4.H123");
  EXPECT_FALSE(hevc_codec_string(four_cc("hvc1"), bytes_of("010160")).ok());
}

TEST(Av1Name, HasLevelTierAndDepth) {
  EXPECT_EQ(*av1_codec_string(bytes_of("81040c00")), "av01.0.04M.08");
  EXPECT_EQ(*av1_codec_string(bytes_of("810dc000")), "av01.0.13H.10");
  EXPECT_EQ(*av1_codec_string(bytes_of("814d6000")), "av01.2.13M.12");
  EXPECT_FALSE(av1_codec_string(bytes_of("01040c00")).ok());
  EXPECT_FALSE(av1_codec_string(bytes_of("8104")).ok());
}

TEST(AacName, TellsTheObjectTypes) {
  const auto lc = aac_of(bytes_of("1190"));  // AAC-LC, 48 kHz, stereo
  ASSERT_TRUE(lc.ok()) << describe(lc.error());
  EXPECT_EQ(lc->codecs, "mp4a.40.2");
  EXPECT_EQ(lc->sample_rate, 48000u);
  EXPECT_EQ(lc->channels, 2u);

  const auto surround = aac_of(bytes_of("11b0"));  // 5.1
  EXPECT_EQ(surround->channels, 6u);
  EXPECT_EQ(aac_of(bytes_of("11b8"))->channels, 8u);  // 7.1

  // Explicit SBR: object type 5, 24 kHz core, 48 kHz output, LC inside.
  const auto sbr = aac_of(bytes_of("2b118800"));
  ASSERT_TRUE(sbr.ok()) << describe(sbr.error());
  EXPECT_EQ(sbr->codecs, "mp4a.40.5");
  EXPECT_EQ(sbr->sample_rate, 48000u);

  // Explicit PS: object type 29, mono core heard in stereo.
  const auto ps = aac_of(bytes_of("eb098800"));
  EXPECT_EQ(ps->codecs, "mp4a.40.29");
  EXPECT_EQ(ps->channels, 2u);

  // LC at 24 kHz with SBR announced behind it (0x2b7, object type 5, present, 48 kHz).
  const auto trailing = aac_of(bytes_of("131056e598"));
  EXPECT_EQ(trailing->codecs, "mp4a.40.5");
  EXPECT_EQ(trailing->sample_rate, 48000u);
  // The same announcement saying "no SBR", which is what FFmpeg's encoder writes.
  const auto none = aac_of(bytes_of("119056e500"));
  EXPECT_EQ(none->codecs, "mp4a.40.2");
  EXPECT_EQ(none->sample_rate, 48000u);
}

TEST(AacName, RefusesWhatIsShortOrStrange) {
  EXPECT_EQ(aac_of({}).error().code, ErrorCode::mp4_malformed);
  EXPECT_EQ(aac_of(bytes_of("11")).error().code, ErrorCode::mp4_malformed);
  EXPECT_EQ(aac_of(bytes_of("0190")).error().code, ErrorCode::mp4_malformed);  // object type 0
  EXPECT_EQ(aac_of(bytes_of("1690")).error().code, ErrorCode::mp4_malformed);  // sampling index 13 is reserved
}

TEST(AacName, AnEsdsCutAnywhereIsAnError) {
  const Bytes entry = test::aac_entry();
  const ByteView esds = ByteView(entry).subspan(8 + 28 + 8);
  ASSERT_TRUE(aac_codec(esds).ok());
  for (std::size_t size = 0; size < esds.size(); ++size) EXPECT_FALSE(aac_codec(esds.first(size)).ok()) << size;
}

TEST(Ac3Name, CountsChannels) {
  const auto ac3 = ac3_codec(bytes_of("103dc0"));  // 48 kHz, 3/2 with LFE
  ASSERT_TRUE(ac3.ok());
  EXPECT_EQ(ac3->codecs, "ac-3");
  EXPECT_EQ(ac3->sample_rate, 48000u);
  EXPECT_EQ(ac3->channels, 6u);
  EXPECT_FALSE(ac3_codec(bytes_of("10")).ok());
  EXPECT_FALSE(ac3_codec(bytes_of("d03dc0")).ok());  // reserved rate

  const auto eac3 = eac3_codec(bytes_of("0600200f00"));
  ASSERT_TRUE(eac3.ok());
  EXPECT_EQ(eac3->codecs, "ec-3");
  EXPECT_EQ(eac3->channels, 6u);
  const auto seven = eac3_codec(bytes_of("0600200f0202"));  // a dependent substream adds Lrs and Rrs
  ASSERT_TRUE(seven.ok());
  EXPECT_EQ(seven->channels, 8u);
  EXPECT_FALSE(eac3_codec(bytes_of("060020")).ok());
}

}  // namespace
}  // namespace reelway::origin::mp4
