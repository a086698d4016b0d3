#include "origin/hls/key_tags.h"

#include <gtest/gtest.h>

namespace reelway::origin::hls {
namespace {

const std::string kId = "0x01010101010101010101010101010101", kIv = "0x02020202020202020202020202020202";

ContentKey key() {
  ContentKey made;
  made.id.fill(1);
  made.iv.fill(2);
  return made;
}

TEST(KeyTags, SayWhereEachPackagingsKeyIs) {
  EXPECT_EQ(key_tags(Packaging::cmaf, key(), "#EXT-X-KEY:METHOD=SAMPLE-AES\n"), "");
  for (const Packaging whole : {Packaging::aes, Packaging::ts_aes}) {
    EXPECT_EQ(key_tags(whole, key(), ""), "#EXT-X-KEY:METHOD=AES-128,URI=\"key\",IV=" + kIv + "\n");
  }
  EXPECT_EQ(key_tags(Packaging::ts_sample_aes, key(), ""), "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"key\",IV=" + kIv + "\n");
  EXPECT_EQ(key_tags(Packaging::cbcs, key(), ""),
            "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"clearkey.json\",KEYFORMAT=\"org.w3.clearkey\",KEYFORMATVERSIONS=\"1\","
            "KEYID=" +
                kId + "\n");
  EXPECT_EQ(key_tags(Packaging::cenc, key(), ""),
            "#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI=\"clearkey.json\",KEYFORMAT=\"org.w3.clearkey\","
            "KEYFORMATVERSIONS=\"1\",KEYID=" +
                kId + "\n#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI=\"key\",KEYFORMAT=\"identity\"\n");
}

TEST(KeyTags, OfASessionAreOfATrack) {
  EXPECT_EQ(session_key_tags(Packaging::aes, "video/720", key(), ""),
            "#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"video/720/key\",IV=" + kIv + "\n");
  EXPECT_EQ(session_key_tags(Packaging::cenc, "audio/en-aac", key(), ""),
            "#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES-CTR,URI=\"audio/en-aac/clearkey.json\","
            "KEYFORMAT=\"org.w3.clearkey\",KEYFORMATVERSIONS=\"1\",KEYID=" +
                kId + "\n");
}

TEST(KeyTags, OfTheProviderFollowWhereTheirMethodFits) {
  const std::string cbcs = "#EXT-X-KEY:URI=\"skd://METHOD=x\",METHOD=SAMPLE-AES,KEYFORMAT=\"f\"\n";
  const std::string cenc = "#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI=\"x\"\n";
  EXPECT_TRUE(key_tags(Packaging::cbcs, key(), cenc + cbcs).ends_with("\n" + cbcs));
  EXPECT_EQ(key_tags(Packaging::cbcs, key(), cenc + cbcs).find(cenc), std::string::npos);
  EXPECT_TRUE(key_tags(Packaging::cenc, key(), cbcs + cenc).ends_with("\n" + cenc));
  EXPECT_EQ(key_tags(Packaging::aes, key(), cbcs), key_tags(Packaging::aes, key(), ""));
}

}  // namespace
}  // namespace reelway::origin::hls
