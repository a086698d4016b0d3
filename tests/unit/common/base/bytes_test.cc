#include "common/base/bytes.h"

#include <gtest/gtest.h>

#include "common/base/gate.h"
#include "common/base/random.h"

namespace reelway {
namespace {

TEST(Bytes, WriterAndReaderAgree) {
  ByteWriter writer;
  writer.u8(1);
  writer.u16(0x0203);
  writer.u24(0x040506);
  writer.u32(0x0708090a);
  writer.u64(0x0b0c0d0e0f101112);
  writer.i32(-5);
  writer.append("ab");
  writer.patch_u32(6, 0xdeadbeef);
  ByteReader reader(writer.bytes());
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x0203);
  EXPECT_EQ(reader.u24(), 0x040506u);
  EXPECT_EQ(reader.u32(), 0xdeadbeefu);
  EXPECT_EQ(reader.u64(), 0x0b0c0d0e0f101112u);
  EXPECT_EQ(reader.i32(), -5);
  EXPECT_EQ(as_text(reader.take(2)), "ab");
  EXPECT_TRUE(reader.at_end());
  EXPECT_FALSE(reader.failed());
}

TEST(Bytes, ReadingPastTheEndFailsOnceAndForAll) {
  const Bytes bytes{1, 2, 3};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.u8(), 0);
}

TEST(Gate, ClosesWhenTheLastWorkHasLeft) {
  Gate gate;
  bool empty = false;
  Gate::Pass first = gate.enter();
  Gate::Pass second = gate.enter();
  gate.close([&] { empty = true; });
  EXPECT_FALSE(gate.enter());
  first = {};
  EXPECT_FALSE(empty);
  second = {};
  EXPECT_TRUE(empty);
}

TEST(Gate, ClosesAtOnceWhenNothingIsInside) {
  Gate gate;
  bool empty = false;
  gate.close([&] { empty = true; });
  EXPECT_TRUE(empty);
}

TEST(Random, IdsAreHexAndDiffer) {
  SystemRandom random;
  EXPECT_EQ(random.hex_id(8).size(), 16u);
  EXPECT_NE(random.hex_id(), random.hex_id());
}

}  // namespace
}  // namespace reelway
