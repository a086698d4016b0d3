#include "common/base/crc32c.h"

#include <gtest/gtest.h>

#include <random>

namespace reelway {
namespace {

TEST(Crc32c, KnownValues) {
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c(Bytes(32, 0)), 0x8a9136aau);     // RFC 3720 appendix B.4
  EXPECT_EQ(crc32c(Bytes(32, 0xff)), 0x62a8ab43u);  // same
}

TEST(Crc32c, SumsInPartsAndCombines) {
  std::mt19937 random(7);
  Bytes bytes(100'003);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  const ByteView all(bytes);
  const std::uint32_t whole = crc32c(all);
  for (std::size_t cut : {0ul, 1ul, 7ul, 8ul, 4096ul, 65'537ul, bytes.size()}) {
    const std::uint32_t first = crc32c(all.first(cut));
    EXPECT_EQ(crc32c(all.subspan(cut), first), whole) << cut;
    EXPECT_EQ(crc32c_combine(first, crc32c(all.subspan(cut)), bytes.size() - cut), whole) << cut;
  }
}

// Long inputs are summed in parts side by side: around the lengths at which another part begins nothing may change.
TEST(Crc32c, LongInputsAreSummedAsByteByByte) {
  std::mt19937 random(8);
  Bytes bytes(3 * 3 * 4096 + 9);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  std::uint32_t by_byte = 0x12345678;
  for (std::size_t count = 0; count <= bytes.size(); ++count) {
    const std::size_t to_border = count % (3 * 4096);
    if (to_border < 10 || to_border > 3 * 4096 - 10) {
      ASSERT_EQ(crc32c(ByteView(bytes).first(count), 0x12345678), by_byte) << count;
    }
    if (count < bytes.size()) by_byte = crc32c(ByteView(bytes).subspan(count, 1), by_byte);
  }
}

TEST(Crc32c, DigestFieldRoundTripsAndRefusesOthers) {
  EXPECT_EQ(crc32c_digest_field(0xe3069283u), "crc32c=:4waSgw==:");
  EXPECT_EQ(crc32c_from_digest_field("crc32c=:4waSgw==:"), 0xe3069283u);
  EXPECT_EQ(crc32c_from_digest_field("sha-256=:AAAA:, crc32c=:4waSgw==:"), 0xe3069283u);
  for (const char* bad :
       {"", "crc32c=", "crc32c=::", "crc32c=:4waSgw==", "crc32c=:4waSg===:", "crc32c=:AAAAAAAA:", "sha-256=:AAAA:"}) {
    EXPECT_EQ(crc32c_from_digest_field(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace reelway
