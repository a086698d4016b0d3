#include "origin/ingest/watch_folder.h"

#include <fstream>

#include "origin/ingest/durable_files.h"
#include "tests/unit/origin/ingest/upload_fixture.h"

namespace reelway::origin {
namespace {

class SteppedClock final : public Clock {
 public:
  Monotonic monotonic() const override { return now; }
  Wall wall() const override { return Wall(std::chrono::hours(1'000'000)); }
  Monotonic now{std::chrono::hours(1)};
};

class WatchFolderTest : public UploadFixture {
 protected:
  void SetUp() override {
    UploadFixture::SetUp();
    start();
  }
  void start() {
    watch_.reset();
    ASSERT_TRUE(make_folders(in_ + "/done").ok());
    ASSERT_TRUE(make_folders(in_ + "/refused").ok());
    watch_ = std::make_unique<WatchFolder>(
        *uploads_, *catalog_, steps_, WatchFolderOptions{.folder = in_},
        [this](const std::string& title, const std::string& upload) -> Result<void> {
          if (failure_) return *failure_;
          const auto made =
              catalog_->create({title, "", "en", 3, false, uploads_->get(upload).value(), "job-" + title});
          return made.ok() ? Result<void>() : Result<void>(made.error());
        });
  }
  void put(const std::string& name, std::string_view bytes) { std::ofstream(in_ + "/" + name) << bytes; }
  std::string read(const std::string& name) const {
    std::ifstream file(in_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool has(const std::string& name) const { return exists(in_ + "/" + name); }
  void look_after(std::chrono::milliseconds time) {
    steps_.now += time;
    watch_->look();
  }
  void settle() {
    look_after({});
    look_after(std::chrono::seconds(10));
  }

  const std::string in_ = folder_.at("in");
  SteppedClock steps_;
  std::optional<Error> failure_;
  std::unique_ptr<WatchFolder> watch_;
};

TEST_F(WatchFolderTest, AFileThatStandsStillBecomesATitle) {
  put("Sintel (2010).mp4", "abc");
  look_after({});
  look_after(std::chrono::seconds(9));
  EXPECT_TRUE(has("Sintel (2010).mp4"));
  look_after(std::chrono::seconds(1));
  EXPECT_FALSE(has("Sintel (2010).mp4"));
  EXPECT_EQ(read("done/Sintel (2010).mp4"), "abc");
  EXPECT_TRUE(catalog_->title("sintel-2010").ok());
}

TEST_F(WatchFolderTest, AFileThatGrowsIsNotTouched) {
  put("film.mp4", "a");
  look_after({});
  steps_.now += std::chrono::seconds(9);
  put("film.mp4", "ab");
  look_after({});
  look_after(std::chrono::seconds(9));
  EXPECT_TRUE(has("film.mp4"));
  look_after(std::chrono::seconds(1));
  EXPECT_TRUE(has("done/film.mp4"));
}

TEST_F(WatchFolderTest, OtherThingsAreLeftAlone) {
  for (const char* name : {".hidden.mp4", "film.mp4.part", "film.tmp"}) put(name, "abc");
  std::filesystem::create_symlink("/etc/passwd", in_ + "/link.mp4");
  ASSERT_TRUE(make_folders(in_ + "/folder.mp4").ok());
  settle();
  for (const char* name : {".hidden.mp4", "film.mp4.part", "film.tmp", "link.mp4", "folder.mp4"}) {
    EXPECT_TRUE(has(name)) << name;
  }
  EXPECT_TRUE(catalog_->titles()->empty());
}

TEST_F(WatchFolderTest, RefusedOnesSayWhy) {
  put("film.mp4", "abc");
  settle();
  put("film.mov", "other bytes");
  put("empty.mp4", "");
  put("\xe6\x98\xa0.mp4", "abc");
  put("large.mp4", std::string(2000, 'x'));
  settle();
  EXPECT_NE(read("refused/film.mov.txt").find("title_exists"), std::string::npos);
  EXPECT_NE(read("refused/empty.mp4.txt").find("empty"), std::string::npos);
  EXPECT_NE(read("refused/\xe6\x98\xa0.mp4.txt").find("title_id_invalid"), std::string::npos);
  EXPECT_NE(read("refused/large.mp4.txt").find("upload_too_large"), std::string::npos);
  EXPECT_EQ(read("refused/film.mov"), "other bytes");
  put("film.mov", "a third one");
  settle();
  EXPECT_EQ(read("refused/2-film.mov"), "a third one");
}

TEST_F(WatchFolderTest, ATitleThatWasBegunBeforeACrashIsDone) {
  put("film.mp4", "abc");
  settle();
  std::filesystem::rename(in_ + "/done/film.mp4", in_ + "/film.mp4");
  start();
  settle();
  EXPECT_TRUE(has("done/film.mp4"));
  EXPECT_FALSE(has("refused/film.mp4"));
}

TEST_F(WatchFolderTest, WhatMayPassIsTriedAgainWithTheSameUpload) {
  failure_ = Error{ErrorCode::overloaded, Side::self, true, ""};
  put("film.mp4", "abc");
  settle();
  EXPECT_TRUE(has("film.mp4"));
  failure_.reset();
  look_after(std::chrono::seconds(59));
  EXPECT_TRUE(has("film.mp4"));
  look_after(std::chrono::seconds(1));
  EXPECT_TRUE(has("done/film.mp4"));
  EXPECT_TRUE(uploads_->list()->empty());
}

TEST_F(WatchFolderTest, TheThreadEnds) {
  ASSERT_TRUE(watch_->start().ok());
  watch_->stop();
  watch_->stop();
}

}  // namespace
}  // namespace reelway::origin
