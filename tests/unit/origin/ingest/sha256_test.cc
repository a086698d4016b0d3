#include "origin/ingest/sha256.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

// The two-block example of FIPS 180-4 (NIST's example values).
constexpr std::string_view kText = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
constexpr std::string_view kSum = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";

TEST(Sha256, OfNothingAndOfAnExample) {
  EXPECT_EQ(Sha256().finish(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 sum;
  sum.add(as_bytes(kText));
  EXPECT_EQ(sum.finish(), kSum);
  EXPECT_EQ(sum.finish(), kSum);
}

TEST(Sha256, GoesOnFromAnyStateInBetween) {
  std::string text;
  for (int i = 0; i < 10; ++i) text.append(kText);
  Sha256 whole;
  whole.add(as_bytes(text));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 first;
    first.add(as_bytes(text.substr(0, cut)));
    EXPECT_EQ(first.midstate().bytes, cut);
    Sha256 second(first.midstate());
    second.add(as_bytes(text.substr(cut)));
    EXPECT_EQ(second.finish(), whole.finish()) << cut;
  }
}

TEST(Sha256, CountsBeyondFourGibibytes) {
  // A length that needs the upper word of the bit count: the sum must not be that of the lower word alone.
  Sha256::Midstate state;
  state.bytes = 1ull << 32;
  Sha256 large(state);
  EXPECT_NE(large.finish(), Sha256().finish());
  large.add(as_bytes("x"));
  EXPECT_EQ(large.midstate().bytes, (1ull << 32) + 1);
}

}  // namespace
}  // namespace reelway::origin
