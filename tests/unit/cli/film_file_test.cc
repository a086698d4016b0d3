#include "cli/film_file.h"

#include <gtest/gtest.h>

#include <string>

namespace reelway::cli {
namespace {

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
