#include "common/base/encoding.h"

#include <gtest/gtest.h>

namespace reelway {
namespace {

TEST(Encoding, Base64UrlOfRfc4648Samples) {
  EXPECT_EQ(base64url(as_bytes("")), "");
  EXPECT_EQ(base64url(as_bytes("f")), "Zg");
  EXPECT_EQ(base64url(as_bytes("fo")), "Zm8");
  EXPECT_EQ(base64url(as_bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(base64url(Bytes{0xfb, 0xff}), "-_8");
}

TEST(Encoding, Base64UrlIsStrict) {
  EXPECT_TRUE(from_base64url("Zg").has_value());
  EXPECT_FALSE(from_base64url("Zh").has_value());    // unused bits set
  EXPECT_FALSE(from_base64url("Zg==").has_value());  // padding
  EXPECT_FALSE(from_base64url("Z").has_value());
  EXPECT_FALSE(from_base64url("Zm+v").has_value());
  EXPECT_FALSE(from_base64url("Zm 8").has_value());
}

TEST(Encoding, OneValueHasOneText) {
  for (int first = 0; first < 256; ++first) {
    const Bytes value{static_cast<std::uint8_t>(first), 0x5a};
    const std::string text = base64url(value);
    EXPECT_EQ(from_base64url(text), value);
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = text;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
        EXPECT_NE(from_base64url(flipped), value);
      }
    }
  }
}

TEST(Encoding, PaddedBase64AndHex) {
  EXPECT_EQ(base64(as_bytes("fo")), "Zm8=");
  EXPECT_EQ(from_base64("Zm8="), Bytes({'f', 'o'}));
  EXPECT_FALSE(from_base64("Zm8").has_value());
  EXPECT_EQ(hex(Bytes{0x00, 0xaf}), "00af");
  EXPECT_EQ(from_hex("00AF"), Bytes({0x00, 0xaf}));
  EXPECT_FALSE(from_hex("0").has_value());
  EXPECT_FALSE(from_hex("0g").has_value());
}

TEST(Encoding, PercentEncodedKeepsUnreservedOnly) {
  EXPECT_EQ(percent_encoded("/t/aZ9-_.~/x y?&%+\xff"), "%2Ft%2FaZ9-_.~%2Fx%20y%3F%26%25%2B%FF");
}

TEST(Encoding, Utf8IsStrict) {
  for (const char* right : {"", "a", "\u00e9\u20ac\U0001F3AC", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(right)) << right;
  for (const char* wrong : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                            "\xf8\x88\x80\x80\x80", "\xe2\x82",
                            "a\xff"
                            "b"}) {
    EXPECT_FALSE(is_utf8(wrong)) << wrong;
  }
}

TEST(Encoding, PercentDecoded) {
  EXPECT_EQ(percent_decoded(""), "");
  EXPECT_EQ(percent_decoded("a%2Fb%2f%00+%25"), std::string("a/b/\0+%", 7));
  for (const char* broken : {"%", "a%2", "%2g", "%g2", "%%41"})
    EXPECT_FALSE(percent_decoded(broken).has_value()) << broken;
}

}  // namespace
}  // namespace reelway
