#include "origin/ingest/durable_files.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_folder.h"

namespace reelway::origin {
namespace {

TEST(DurableFiles, MovesIntoNewFolders) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_durably(folder.at("a"), "bytes", 5).ok());
  ASSERT_TRUE(move_durably(folder.at("a"), folder.at("x/y/z/b")).ok());
  EXPECT_FALSE(exists(folder.at("a")));
  std::string text;
  std::ifstream(folder.at("x/y/z/b")) >> text;
  EXPECT_EQ(text, "bytes");
  EXPECT_EQ(move_durably(folder.at("a"), folder.at("c")).error().code, ErrorCode::not_found_on_disk);
}

TEST(DurableFiles, RemovingWhatIsAbsentIsNoError) {
  const TemporaryFolder folder;
  EXPECT_TRUE(remove_all(folder.at("none")).ok());
  ASSERT_TRUE(make_folders(folder.at("a/b")).ok());
  ASSERT_TRUE(make_folders(folder.at("a/b")).ok());
  EXPECT_TRUE(remove_all(folder.at("a")).ok());
  EXPECT_FALSE(exists(folder.at("a")));
}

TEST(DurableFiles, FullDiskIsSaid) {
  EXPECT_EQ(write_durably("/dev/full", "bytes", 5).error().code, ErrorCode::disk_full);
}

}  // namespace
}  // namespace reelway::origin
