#include "origin/storage/file_check.h"

#include <gtest/gtest.h>

#include "common/base/crc32c.h"
#include "origin/ingest/durable_files.h"
#include "origin/storage/quiet_reader.h"
#include "tests/support/temporary_folder.h"

namespace reelway::origin {
namespace {

Bytes pattern(std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + i / 251);
  return bytes;
}

std::string sha256_of(ByteView bytes) {
  Sha256 sum;
  sum.add(bytes);
  return sum.finish();
}

// Three units with bytes between them.
FileSums sums_of(const Bytes& bytes) {
  FileSums sums{bytes.size(), sha256_of(bytes), {}};
  for (const auto& [offset, count] : {std::pair{10u, 100u}, {110u, 50u}, {200u, 700u}}) {
    sums.units.push_back({offset, count, crc32c(ByteView(bytes).subspan(offset, count))});
  }
  return sums;
}

TEST(FileCheckTest, PiecesMayBeCutAnywhere) {
  const Bytes bytes = pattern(1000);
  for (const std::size_t step : {1u, 7u, 100u, 999u, 1000u}) {
    FileCheck check(sums_of(bytes));
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      check.add(ByteView(bytes).subspan(at, std::min(step, bytes.size() - at)));
    }
    EXPECT_FALSE(check.finish()) << step;
  }
}

TEST(FileCheckTest, EveryBitCounts) {
  const Bytes bytes = pattern(1000);
  for (std::size_t at = 0; at < bytes.size(); at += 9) {
    Bytes rotten = bytes;
    rotten[at] ^= 1;
    FileCheck check(sums_of(bytes));
    check.add(rotten);
    const auto fault = check.finish();
    ASSERT_TRUE(fault) << at;
    EXPECT_LE(fault->offset, at);
    EXPECT_LT(at, fault->offset + fault->bytes);
  }
}

TEST(FileCheckTest, GoesOnFromEveryBoundary) {
  const Bytes bytes = pattern(1000);
  std::size_t boundaries = 0;
  for (std::size_t at = 0; at <= bytes.size(); ++at) {
    FileCheck first(sums_of(bytes));
    first.add(ByteView(bytes).first(at));
    if (!first.is_boundary()) continue;
    ++boundaries;
    FileCheck second(sums_of(bytes), first.midstate());
    second.add(ByteView(bytes).subspan(at));
    EXPECT_FALSE(second.finish()) << at;
  }
  EXPECT_GE(boundaries, 150u);
  EXPECT_LT(boundaries, 300u);
}

TEST(FileCheckTest, ShortAndLongFilesAreFaults) {
  const Bytes bytes = pattern(1000);
  FileCheck shorter(sums_of(bytes));
  shorter.add(ByteView(bytes).first(500));
  EXPECT_EQ(shorter.finish()->offset, 500u);
  FileCheck longer(sums_of(bytes));
  longer.add(bytes);
  longer.add(ByteView(bytes).first(1));
  EXPECT_EQ(longer.finish()->offset, 1000u);
}

TEST(QuietReaderTest, GivesWhatIsOnTheDiskFromAnyOffset) {
  TemporaryFolder folder;
  for (const std::size_t size : {0u, 1u, 4096u, (1u << 20) - 1, 1u << 20, (2u << 20) + 4097}) {
    const Bytes bytes = pattern(size);
    const std::string path = folder.at("file");
    ASSERT_TRUE(write_durably(path, bytes.data(), bytes.size()).ok());
    for (const std::size_t from : {std::size_t{0}, size / 3, size}) {
      Bytes got;
      const auto read = read_quietly(path, from, [&](ByteView piece) -> Result<void> {
        got.insert(got.end(), piece.begin(), piece.end());
        return {};
      });
      ASSERT_TRUE(read.ok()) << describe(read.error());
      EXPECT_EQ(got, Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end())) << size << " " << from;
    }
  }
  EXPECT_EQ(read_quietly(folder.at("none"), 0, [](ByteView) -> Result<void> { return {}; }).error().code,
            ErrorCode::not_found_on_disk);
}

}  // namespace
}  // namespace reelway::origin
