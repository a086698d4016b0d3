#include "origin/ingest/progress_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace reelway::origin {
namespace {

UploadProgress progress_of(std::string_view text, std::int64_t at_ms = 5) {
  Sha256 sum;
  sum.add(as_bytes(text));
  return {0, at_ms, sum.midstate()};
}

void write(const std::string& path, const UploadProgress& progress) {
  auto file = ProgressFile::open(path);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->write(progress).ok());
}

void damage(const std::string& path, std::streamoff place) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(place);
  file.put('!');
}

TEST(ProgressFile, TheLastWriteHolds) {
  const TemporaryFolder folder;
  const std::string path = folder.at("p");
  EXPECT_FALSE(ProgressFile::read(path)->has_value());
  const std::string texts[] = {"a", "ab", "abc", "abcd"};
  for (const std::string& text : texts) {
    write(path, progress_of(text));  // each by a process of its own, as it were
    const auto read = ProgressFile::read(path);
    ASSERT_TRUE(read.ok() && read->has_value());
    EXPECT_EQ((*read)->offset(), text.size());
    EXPECT_EQ((*read)->written_at_ms, 5);
    EXPECT_EQ(Sha256((*read)->sum).finish(), Sha256(progress_of(text).sum).finish());
  }
}

TEST(ProgressFile, ATornWriteLeavesTheOneBefore) {
  const TemporaryFolder folder;
  const std::string path = folder.at("p");
  write(path, progress_of("a"));
  write(path, progress_of("ab"));
  damage(path, 4096 + 20);
  EXPECT_EQ((*ProgressFile::read(path))->offset(), 1u);
  write(path, progress_of("abc"));
  EXPECT_EQ((*ProgressFile::read(path))->offset(), 3u);
  damage(path, 20);
  damage(path, 4096 + 20);
  EXPECT_EQ(ProgressFile::read(path).error().code, ErrorCode::stored_data_corrupt);
}

TEST(ProgressFile, ATornFirstWriteIsNoProgress) {
  const TemporaryFolder folder;
  const std::string path = folder.at("p");
  write(path, progress_of("a"));
  std::filesystem::resize_file(path, 50);
  ASSERT_TRUE(ProgressFile::read(path).ok());
  EXPECT_FALSE(ProgressFile::read(path)->has_value());
}

TEST(ProgressFile, EveryFlippedBitIsFound) {
  const Bytes slot = encode_progress(progress_of("abc"));
  ASSERT_TRUE(parse_progress(slot));
  for (std::size_t bit = 0; bit < slot.size() * 8; ++bit) {
    Bytes flipped = slot;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(parse_progress(flipped)) << bit;
  }
  EXPECT_FALSE(parse_progress(ByteView(slot).first(slot.size() - 1)));
}

}  // namespace
}  // namespace reelway::origin
