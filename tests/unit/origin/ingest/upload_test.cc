#include <filesystem>
#include <fstream>

#include "origin/ingest/durable_files.h"
#include "tests/unit/origin/ingest/upload_fixture.h"

namespace reelway::origin {
namespace {

class UploadTest : public UploadFixture {
 protected:
  std::string begin(std::uint64_t size) {
    const auto record = uploads_->begin({"film.mp4", size, "film", false});
    EXPECT_TRUE(record.ok());
    return record.ok() ? record->upload : "";
  }

  Result<UploadRecord> send(const std::string& upload, std::string_view bytes) {
    auto writer = uploads_->write(upload);
    if (!writer.ok()) return std::move(writer).error();
    if (auto appended = (*writer)->append(as_bytes(bytes)); !appended.ok()) return std::move(appended).error();
    return (*writer)->finish();
  }
};

TEST_F(UploadTest, BytesAreKeptWithTheirSum) {
  const std::string upload = begin(3);
  const auto record = send(upload, "abc");
  ASSERT_TRUE(record.ok()) << describe(record.error());
  EXPECT_EQ(record->sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(uploads_->get(upload)->state, UploadState::complete);
  EXPECT_EQ(std::filesystem::file_size(uploads_->part_path(upload)), 3u);
}

TEST_F(UploadTest, ShortBodyLeavesNothingAndMayBeSentAgain) {
  const std::string upload = begin(3);
  EXPECT_EQ(code(send(upload, "ab")), ErrorCode::upload_incomplete);
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(uploads_->get(upload)->state, UploadState::waiting);
  EXPECT_TRUE(send(upload, "abc").ok());
}

TEST_F(UploadTest, LongBodyIsRefused) {
  EXPECT_EQ(code(send(begin(3), "abcd")), ErrorCode::upload_too_large);
  EXPECT_EQ(files(), 0u);
}

TEST_F(UploadTest, OneWriterAtATime) {
  const std::string upload = begin(3);
  auto first = uploads_->write(upload);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(code(uploads_->write(upload)), ErrorCode::upload_in_progress);
  first->reset();
  EXPECT_TRUE(uploads_->write(upload).ok());
}

TEST_F(UploadTest, WritersAreBounded) {
  open({.data_dir = folder_.path(), .free_bytes_min = 0, .writers_max = 1});
  const std::string one = begin(3), two = begin(3);
  auto first = uploads_->write(one);
  EXPECT_EQ(code(uploads_->write(two)), ErrorCode::overloaded);
}

TEST_F(UploadTest, RefusesBeforeAnyByte) {
  EXPECT_EQ(code(uploads_->begin({"f", 1001, "film", false})), ErrorCode::upload_too_large);
  EXPECT_EQ(code(uploads_->begin({"f", 0, "film", false})), ErrorCode::http_bad_request);
  EXPECT_EQ(code(uploads_->begin({"f", 5, "No Title", false})), ErrorCode::title_id_invalid);
  EXPECT_EQ(code(uploads_->begin({"f", 5, "film", true})), ErrorCode::title_not_found);
  EXPECT_EQ(code(uploads_->write("unknown")), ErrorCode::upload_not_found);
  open({.data_dir = folder_.path(), .free_bytes_min = 1ull << 60});
  EXPECT_EQ(code(uploads_->begin({"f", 5, "film", false})), ErrorCode::disk_full);
}

TEST_F(UploadTest, FullDiskWhileWritingLeavesNothing) {
  const std::string upload = begin(3);
  // /dev/full answers every write with ENOSPC.
  std::filesystem::create_symlink("/dev/full", uploads_->part_path(upload));
  EXPECT_EQ(code(send(upload, "abc")), ErrorCode::disk_full);
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(uploads_->get(upload)->state, UploadState::waiting);
}

TEST_F(UploadTest, CompleteOneMayBeSentAgainUntilItIsTaken) {
  const std::string upload = begin(3);
  ASSERT_TRUE(send(upload, "abc").ok());
  EXPECT_EQ(code(send(upload, "ab")), ErrorCode::upload_incomplete);
  EXPECT_EQ(uploads_->get(upload)->state, UploadState::waiting);
  const auto complete = send(upload, "xyz");
  ASSERT_TRUE(complete.ok());
  ASSERT_TRUE(catalog_->create({"film", "", "en", 3, false, *complete, "job"}).ok());
  EXPECT_EQ(code(send(upload, "abc")), ErrorCode::upload_not_found);
  EXPECT_EQ(files(), 1u);
}

TEST_F(UploadTest, RecoveryKeepsCompleteFilesAndRemovesTheRest) {
  const std::string complete = begin(3), cut = begin(3);
  ASSERT_TRUE(send(complete, "abc").ok());
  std::ofstream(uploads_->part_path(cut)) << "a";
  std::ofstream(folder_.at("uploads/stray.part")) << "?";
  open({.data_dir = folder_.path(), .free_bytes_min = 0});
  EXPECT_EQ(files(), 1u);
  EXPECT_TRUE(exists(uploads_->part_path(complete)));
  EXPECT_TRUE(uploads_->get(cut).ok());
}

TEST_F(UploadTest, RecoveryForgetsUploadsThatNobodyWanted) {
  const std::string complete = begin(3), waiting = begin(3);
  ASSERT_TRUE(send(complete, "abc").ok());
  clock_.now += std::chrono::hours(73);
  open({.data_dir = folder_.path(), .free_bytes_min = 0});
  EXPECT_EQ(code(uploads_->get(waiting)), ErrorCode::upload_not_found);
  EXPECT_TRUE(uploads_->get(complete).ok());
  clock_.now += std::chrono::hours(24 * 7);
  open({.data_dir = folder_.path(), .free_bytes_min = 0});
  EXPECT_EQ(code(uploads_->get(complete)), ErrorCode::upload_not_found);
  EXPECT_EQ(files(), 0u);
}

}  // namespace
}  // namespace reelway::origin
