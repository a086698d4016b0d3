#include "origin/catalog/catalog.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace reelway::origin {
namespace {

class CatalogTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_rocksdb_store(folder_.at("store"));
    ASSERT_TRUE(opened.ok());
    store_ = std::move(opened).value();
    catalog_ = std::make_unique<Catalog>(*store_, clock_, CatalogOptions{.data_dir = folder_.path()});
  }

  UploadRecord upload(const std::string& id) {
    UploadRecord record;
    record.upload = id;
    record.size_bytes = 5;
    record.state = UploadState::complete;
    record.sha256 = "sum";
    Txn txn;
    txn.then_operations = {Operation::put(upload_key(id), to_json(record))};
    EXPECT_TRUE(store_->txn(txn).ok());
    return record;
  }

  Result<JobRecord> create(const std::string& title, bool new_version = false) {
    const std::string number = std::to_string(++count_);
    return catalog_->create({title, "A name", "en", 3, new_version, upload("u" + number), "j" + number});
  }

  TemporaryFolder folder_;
  SystemClock clock_;
  std::unique_ptr<ControlStore> store_;
  std::unique_ptr<Catalog> catalog_;
  int count_ = 0;
};

ErrorCode code(const auto& result) {
  return result.ok() ? ErrorCode::internal : result.error().code;
}

TEST_F(CatalogTest, NothingIsVisibleBeforeItIsPublished) {
  const auto job = create("film");
  ASSERT_TRUE(job.ok());
  EXPECT_EQ(job->version, "v1");
  EXPECT_EQ(catalog_->title("film")->state, TitleState::ingesting);
  EXPECT_EQ(code(catalog_->current_version("film")), ErrorCode::title_not_published);
  EXPECT_EQ(code(catalog_->published("film", "v1")), ErrorCode::version_not_found);
  EXPECT_EQ(catalog_->cached("film", "v1"), nullptr);

  ASSERT_TRUE(catalog_->publish(*catalog_->version("film", "v1"), *job).ok());
  EXPECT_EQ(*catalog_->current_version("film"), "v1");
  EXPECT_EQ(catalog_->title("film")->state, TitleState::published);
  EXPECT_EQ(catalog_->version("film", "v1")->state, VersionState::published);
}

TEST_F(CatalogTest, NamesFromRequestsAreChecked) {
  EXPECT_EQ(code(catalog_->published("../x", "v1")), ErrorCode::title_not_found);
  EXPECT_EQ(code(catalog_->published("film", "../v1")), ErrorCode::version_not_found);
  EXPECT_EQ(code(catalog_->published("film", "v1")), ErrorCode::title_not_found);
  EXPECT_EQ(code(catalog_->check_new("Film", false)), ErrorCode::title_id_invalid);
  EXPECT_EQ(code(catalog_->check_new("", false)), ErrorCode::title_id_invalid);
}

TEST_F(CatalogTest, TitleIsCreatedOnce) {
  ASSERT_TRUE(create("film").ok());
  EXPECT_EQ(code(create("film")), ErrorCode::title_exists);
  EXPECT_EQ(code(create("other", true)), ErrorCode::title_not_found);
  EXPECT_EQ(create("film", true)->version, "v2");
}

TEST_F(CatalogTest, UploadIsTakenOnce) {
  const UploadRecord once = upload("once");
  ASSERT_TRUE(catalog_->create({"one", "", "en", 3, false, once, "j1"}).ok());
  EXPECT_EQ(code(catalog_->create({"two", "", "en", 3, false, once, "j2"})), ErrorCode::store_conflict);
  EXPECT_EQ(code(catalog_->title("two")), ErrorCode::title_not_found);
}

TEST_F(CatalogTest, OlderVersionThatEndsLateDoesNotReplaceANewerOne) {
  const auto first = create("film"), second = create("film", true);
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_TRUE(catalog_->publish(*catalog_->version("film", "v2"), *second).ok());
  ASSERT_TRUE(catalog_->publish(*catalog_->version("film", "v1"), *first).ok());
  EXPECT_EQ(*catalog_->current_version("film"), "v2");
  EXPECT_EQ(catalog_->version("film", "v1")->state, VersionState::published);
}

TEST_F(CatalogTest, FailureIsRecordedAndFreesTheId) {
  const auto job = create("film");
  ASSERT_TRUE(catalog_->fail(*job, {ErrorCode::media_no_audio, Side::client, false, "why"}).ok());
  EXPECT_EQ(catalog_->title("film")->state, TitleState::failed);
  EXPECT_EQ(catalog_->title("film")->error->code, ErrorCode::media_no_audio);
  EXPECT_EQ(create("film")->version, "v2");
}

TEST_F(CatalogTest, ListsTitlesAndVersionsInOrder) {
  for (const char* title : {"b", "a", "a-b"}) ASSERT_TRUE(create(title).ok());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(create("a", true).ok());
  const auto titles = catalog_->titles();
  ASSERT_TRUE(titles.ok());
  ASSERT_EQ(titles->size(), 3u);
  EXPECT_EQ((*titles)[0].title, "a");
  EXPECT_EQ((*titles)[2].title, "b");
  const auto versions = catalog_->versions("a");
  ASSERT_EQ(versions->size(), 11u);
  EXPECT_EQ(versions->back().version, "v11");
  EXPECT_EQ(code(catalog_->versions("none")), ErrorCode::title_not_found);
}

}  // namespace
}  // namespace reelway::origin
