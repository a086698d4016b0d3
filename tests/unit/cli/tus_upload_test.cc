#include "cli/tus_upload.h"

#include <gtest/gtest.h>

namespace reelway::cli {
namespace {

const TusFile kFilm{"/films/a.mp4", 9, "9-1.2", "film", false};

Json entry(const char* id, std::uint64_t offset) {
  return {{"upload", id},           {"filename", "a.mp4"}, {"title", "film"},
          {"new_version", false},   {"resumable", true},   {"partial", false},
          {"fingerprint", "9-1.2"}, {"offset", offset},    {"state", offset == 9 ? "complete" : "waiting"}};
}

TEST(TusUpload, FindsTheUploadOfThisVeryFile) {
  Json other_time = entry("1", 3), other_title = entry("2", 3), part = entry("3", 3), put = entry("4", 3);
  other_time["fingerprint"] = "9-1.3";
  other_title["title"] = "other";
  part["partial"] = true;
  put["resumable"] = false;
  Json uploads{{"uploads", {other_time, other_title, part, put}}};
  EXPECT_FALSE(find_upload(uploads, kFilm));
  uploads["uploads"].push_back(entry("5", 3));
  const auto found = find_upload(uploads, kFilm);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, "5");
  EXPECT_EQ(found->offset, 3u);
  EXPECT_FALSE(found->complete);
  EXPECT_TRUE(find_upload({{"uploads", {entry("6", 9)}}}, kFilm)->complete);
}

TEST(TusUpload, AnyListIsRead) {
  for (const char* text : {"null", "[]", "{}", R"({"uploads":5})", R"({"uploads":[1,null,{"offset":"x"}]})"}) {
    EXPECT_FALSE(find_upload(Json::parse(text), kFilm)) << text;
  }
}

TEST(TusUpload, TellsTheOriginOfTheFile) {
  EXPECT_EQ(tus_metadata(kFilm), "filename YS5tcDQ=,title ZmlsbQ==,new_version ZmFsc2U=,fingerprint OS0xLjI=");
}

TEST(TusUpload, PausesGrowUpToABound) {
  using std::chrono::milliseconds;
  const RetryPace pace{milliseconds(100), milliseconds(350), std::chrono::minutes(1)};
  EXPECT_EQ(retry_pause(pace, 0), milliseconds(100));
  EXPECT_EQ(retry_pause(pace, 1), milliseconds(200));
  EXPECT_EQ(retry_pause(pace, 2), milliseconds(350));
  EXPECT_EQ(retry_pause(pace, 1000), milliseconds(350));
}

}  // namespace
}  // namespace reelway::cli
