#include "cli/film_file.h"

#include <gtest/gtest.h>

#include <string>

#include "common/access/play_path.h"

namespace reelway::cli {
namespace {

TEST(FilmFile, TitleIdFromTheFileName) {
  EXPECT_EQ(derive_title_id("/films/Sintel (2010) 4K.mp4"), "sintel-2010-4k");
  EXPECT_EQ(derive_title_id("bbb.mp4"), "bbb");
  EXPECT_EQ(derive_title_id("a.b.mov"), "a-b");
  EXPECT_EQ(derive_title_id("no-ending"), "no-ending");
  EXPECT_EQ(derive_title_id("../x/__y__.mkv"), "y");
  EXPECT_EQ(derive_title_id("映画.mp4"), "");
  EXPECT_EQ(derive_title_id(""), "");
  EXPECT_EQ(derive_title_id(".mp4"), "mp4");
}

TEST(FilmFile, DerivedIdsAreTitleIds) {
  for (const std::string& file :
       {std::string(200, 'A') + ".mp4", std::string(62, 'a') + "-b", std::string("--x--.mp4")}) {
    EXPECT_TRUE(access::is_title_id(derive_title_id(file))) << derive_title_id(file);
  }
}

TEST(FilmFile, SizeNamesWhatIsWrong) {
  EXPECT_EQ(film_size("/nonexistent/film.mp4").error().code, ErrorCode::not_found_on_disk);
  EXPECT_EQ(film_size("/").error().code, ErrorCode::media_unreadable);
  EXPECT_EQ(film_size("/dev/null").error().code, ErrorCode::media_unreadable);
  const auto size = film_size(REELWAY_SOURCE_DIR "/CMakeLists.txt");
  ASSERT_TRUE(size.ok());
  EXPECT_GT(*size, 0u);
}

}  // namespace
}  // namespace reelway::cli
