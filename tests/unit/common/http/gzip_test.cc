#include "common/http/gzip.h"

#include <gtest/gtest.h>

namespace reelway::http {
namespace {

TEST(Gzip, GivesBackWhatItWasGivenAndAlwaysTheSame) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "#EXTINF:6.006000,\n" + std::to_string(i) + ".m4s\n";
  const std::string packed = gzipped(text);
  EXPECT_LT(packed.size(), text.size() / 5);
  EXPECT_EQ(packed, gzipped(text));
  // RFC 1952 section 2.3: no time of change, no name, no flags.
  EXPECT_EQ(packed.substr(0, 8), std::string("\x1f\x8b\x08\0\0\0\0\0", 8));
  EXPECT_EQ(gunzipped(as_bytes(packed), text.size()), text);
  EXPECT_EQ(gunzipped(as_bytes(gzipped("")), 0), "");
}

TEST(Gzip, RefusesWhatIsNoneOrTooLong) {
  const std::string packed = gzipped(std::string(100'000, 'x'));
  EXPECT_FALSE(gunzipped(as_bytes(packed), 99'999));
  EXPECT_TRUE(gunzipped(as_bytes(packed), 100'000));
  EXPECT_FALSE(gunzipped(as_bytes(packed.substr(0, packed.size() - 1)), 1'000'000));
  EXPECT_FALSE(gunzipped(as_bytes(std::string("plain text")), 1000));
  EXPECT_FALSE(gunzipped({}, 1000));
  std::string damaged = packed;
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);  // of the sum
  EXPECT_FALSE(gunzipped(as_bytes(damaged), 1'000'000));
}

TEST(Gzip, IsTakenByThoseWhoSaySo) {
  for (const char* value : {"gzip", "GZIP", "x-gzip", "br, gzip;q=0.1", "*", "deflate , gzip ; q=1.0", "*;q=0.5, br"}) {
    EXPECT_TRUE(accepts_gzip(value)) << value;
  }
  for (const char* value : {"", "br", "identity", "gzip;q=0", "gzip; q=0.000", "*;q=0", "*, gzip;q=0", "gzipped"}) {
    EXPECT_FALSE(accepts_gzip(value)) << value;
  }
}

}  // namespace
}  // namespace reelway::http
