#include "origin/ingest/chunk_sum.h"

#include <gtest/gtest.h>

#include "common/base/encoding.h"

namespace reelway::origin {
namespace {

std::string sum_of(ChecksumAlgorithm algorithm, std::string_view text) {
  ChunkSum sum(algorithm);
  for (const char c : text) sum.add(as_bytes(std::string_view(&c, 1)));
  return hex(sum.finish());
}

TEST(ChunkSum, KnownValues) {
  EXPECT_EQ(sum_of(ChecksumAlgorithm::crc32, "123456789"), "cbf43926");
  EXPECT_EQ(sum_of(ChecksumAlgorithm::crc32, ""), "00000000");
  EXPECT_EQ(sum_of(ChecksumAlgorithm::sha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(sum_of(ChecksumAlgorithm::sha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace reelway::origin
