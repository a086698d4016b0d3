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
        },
        [this](const std::string& text, const std::string& name,
               const std::map<std::string, std::string>& files) -> Result<void> {
          if (failure_) return *failure_;
          const Manifest manifest = parse_manifest(text, name).value();
          Catalog::NewVersion version{
              manifest.title,         "", "en", 3, false, uploads_->get(files.at(manifest.picture.file)).value(),
              "job-" + manifest.title};
          for (const ManifestFile& file : manifest.audio) {
            DeliveredFile kept;
            kept.name = kept.filename = file.file;
            kept.upload = files.at(file.file);
            version.files.emplace_back(kept, uploads_->get(kept.upload).value());
          }
          const auto made = catalog_->create(version);
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

TEST_F(WatchFolderTest, AFolderWithAManifestIsTakenAsAWhole) {
  ASSERT_TRUE(make_folders(in_ + "/Vendor 1").ok());
  put("Vendor 1/film.mov", "picture");
  put("Vendor 1/en.wav", "sound");
  settle();
  EXPECT_TRUE(exists(in_ + "/Vendor 1"));  // without a manifest it is a folder like others
  put("Vendor 1/delivery.yaml",
      "{format: 1, title: delivered, picture: {file: film.mov}, audio: [{file: en.wav, language: en}]}");
  settle();
  EXPECT_TRUE(exists(in_ + "/done/Vendor 1/film.mov"));
  const VersionRecord version = catalog_->version("delivered", "v1").value();
  EXPECT_EQ(version.source_bytes, 7u);
  ASSERT_EQ(version.files.size(), 1u);
  EXPECT_EQ(version.files[0].filename, "en.wav");
  EXPECT_EQ(uploads_->get(version.files[0].upload).value().state, UploadState::taken);
}

TEST_F(WatchFolderTest, ADeliveryThatWasBegunBeforeACrashIsDone) {
  const auto deliver = [this](const std::string& folder, const std::string& picture) {
    ASSERT_TRUE(make_folders(in_ + "/" + folder).ok());
    put(folder + "/film.mov", picture);
    put(folder + "/delivery.yaml", "{format: 1, title: delivered, picture: {file: film.mov}}");
    settle();
  };
  deliver("first", "picture");
  deliver("again", "picture");
  EXPECT_TRUE(exists(in_ + "/done/again/film.mov"));
  deliver("other", "another");
  EXPECT_NE(read("refused/other.txt").find("title_exists"), std::string::npos);
}

TEST_F(WatchFolderTest, ADeliveryThatLacksAFileIsRefusedWithItsPlace) {
  ASSERT_TRUE(make_folders(in_ + "/short").ok());
  put("short/delivery.yaml", "format: 1\ntitle: delivered\npicture: {file: film.mov}\n");
  settle();
  EXPECT_NE(read("refused/short.txt").find("delivery_file_missing"), std::string::npos);
  EXPECT_NE(read("refused/short.txt").find("short/delivery.yaml:3: film.mov"), std::string::npos);
  // A link leads out of the delivery.
  ASSERT_TRUE(make_folders(in_ + "/linked").ok());
  std::filesystem::create_symlink("/etc/hostname", in_ + "/linked/film.mov");
  put("linked/delivery.yaml", "{format: 1, title: delivered, picture: {file: film.mov}}");
  settle();
  EXPECT_NE(read("refused/linked.txt").find("delivery_file_missing"), std::string::npos);
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
