#include "common/access/title_name.h"

#include <gtest/gtest.h>

#include <string>

#include "common/access/play_path.h"

namespace reelway::access {
namespace {

TEST(TitleName, TitleIdFromTheFileName) {
  EXPECT_EQ(derive_title_id("/films/Sintel (2010) 4K.mp4"), "sintel-2010-4k");
  EXPECT_EQ(derive_title_id("bbb.mp4"), "bbb");
  EXPECT_EQ(derive_title_id("a.b.mov"), "a-b");
  EXPECT_EQ(derive_title_id("no-ending"), "no-ending");
  EXPECT_EQ(derive_title_id("../x/__y__.mkv"), "y");
  EXPECT_EQ(derive_title_id("映画.mp4"), "");
  EXPECT_EQ(derive_title_id(""), "");
  EXPECT_EQ(derive_title_id(".mp4"), "mp4");
}

TEST(TitleName, DerivedIdsAreTitleIds) {
  for (const std::string& file :
       {std::string(200, 'A') + ".mp4", std::string(62, 'a') + "-b", std::string("--x--.mp4")}) {
    EXPECT_TRUE(is_title_id(derive_title_id(file))) << derive_title_id(file);
  }
}

TEST(TitleName, FileNameIsWhatFollowsTheLastSlash) {
  EXPECT_EQ(file_name("/films/a.mp4"), "a.mp4");
  EXPECT_EQ(file_name("a.mp4"), "a.mp4");
  EXPECT_EQ(file_name("/films/"), "");
}

}  // namespace
}  // namespace reelway::access
