#include <fstream>

#include "common/base/encoding.h"
#include "origin/ingest/durable_files.h"
#include "tests/unit/origin/ingest/upload_fixture.h"

namespace reelway::origin {
namespace {

constexpr std::string_view kAbcSum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

class ResumableUploadTest : public UploadFixture {
 protected:
  UploadOptions options() const {
    return {.data_dir = folder_.path(), .upload_bytes_max = 1000, .free_bytes_min = 0, .sync_bytes = 4};
  }
  void SetUp() override { open(options()); }
  void restart() { open(options()); }

  std::string begin(std::uint64_t size, bool partial = false) {
    UploadRequest request{"film.mp4", size, partial ? "" : "film", false};
    request.resumable = true;
    request.partial = partial;
    const auto record = uploads_->begin(request);
    EXPECT_TRUE(record.ok()) << describe(record.error());
    return record.ok() ? record->upload : "";
  }
  std::unique_ptr<ResumableWriter> writer(const std::string& upload, std::uint64_t offset) {
    auto made = uploads_->resume({upload, offset, {}, {}});
    EXPECT_TRUE(made.ok()) << describe(made.error());
    return made.ok() ? std::move(made).value() : nullptr;
  }
  Result<UploadStatus> patch(const std::string& upload, std::uint64_t offset, std::string_view bytes,
                             std::optional<ChunkChecksum> checksum = {}) {
    auto made = uploads_->resume({upload, offset, bytes.size(), std::move(checksum)});
    if (!made.ok()) return std::move(made).error();
    if (auto appended = (*made)->append(as_bytes(bytes)); !appended.ok()) return std::move(appended).error();
    return (*made)->finish();
  }
  std::uint64_t offset(const std::string& upload) {
    const auto status = uploads_->status(upload);
    EXPECT_TRUE(status.ok()) << describe(status.error());
    return status.ok() ? status->offset : 0;
  }
  std::string bytes_of(const std::string& upload) const {
    std::ifstream file(uploads_->part_path(upload), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_F(ResumableUploadTest, PiecesBecomeOneUploadWithItsSum) {
  const std::string upload = begin(3);
  EXPECT_EQ(offset(upload), 0u);
  EXPECT_EQ(patch(upload, 0, "a")->offset, 1u);
  EXPECT_EQ(patch(upload, 1, "")->offset, 1u);
  const auto last = patch(upload, 1, "bc");
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->offset, 3u);
  EXPECT_EQ(last->record.state, UploadState::complete);
  EXPECT_EQ(last->record.sha256, kAbcSum);
  EXPECT_EQ(files(), 1u);  // no progress any more
  EXPECT_EQ(patch(upload, 3, "")->offset, 3u);
  EXPECT_EQ(code(patch(upload, 3, "d")), ErrorCode::upload_too_large);
  EXPECT_TRUE(catalog_->create({"film", "", "en", 3, false, uploads_->get(upload).value(), "job"}).ok());
}

TEST_F(ResumableUploadTest, WhatWasAcknowledgedOutlivesARestart) {
  const std::string upload = begin(3);
  ASSERT_TRUE(patch(upload, 0, "ab").ok());
  // What a crash may leave behind the last checkpoint.
  std::ofstream(uploads_->part_path(upload), std::ios::app) << "garbage";
  restart();
  EXPECT_EQ(offset(upload), 2u);
  EXPECT_EQ(patch(upload, 2, "c")->record.sha256, kAbcSum);
  EXPECT_EQ(bytes_of(upload), "abc");
}

TEST_F(ResumableUploadTest, ABodyThatBreaksOffIsKept) {
  const std::string upload = begin(3);
  {
    const auto open = writer(upload, 0);
    ASSERT_TRUE(open->append(as_bytes("ab")).ok());
  }
  EXPECT_EQ(offset(upload), 2u);
  {
    const auto open = writer(upload, 2);
    ASSERT_TRUE(open->append(as_bytes("c")).ok());
  }
  // It had all its bytes: it must not be said to have them without being whole.
  EXPECT_EQ(uploads_->get(upload)->state, UploadState::complete);
  EXPECT_EQ(uploads_->get(upload)->sha256, kAbcSum);
}

TEST_F(ResumableUploadTest, ALongBodyIsKeptAsItComes) {
  const std::string upload = begin(100);
  const auto open = writer(upload, 0);
  ASSERT_TRUE(open->append(as_bytes("abc")).ok());
  EXPECT_EQ(offset(upload), 0u);
  ASSERT_TRUE(open->append(as_bytes("de")).ok());
  EXPECT_EQ(offset(upload), 5u);
}

TEST_F(ResumableUploadTest, OffsetsMustMeet) {
  const std::string upload = begin(5);
  ASSERT_TRUE(patch(upload, 0, "ab").ok());
  EXPECT_EQ(code(patch(upload, 0, "ab")), ErrorCode::upload_offset_differs);
  EXPECT_EQ(code(patch(upload, 3, "d")), ErrorCode::upload_offset_differs);
  EXPECT_EQ(code(patch(upload, 2, "cdef")), ErrorCode::upload_too_large);
  EXPECT_EQ(offset(upload), 2u);
  // Without a length the end is only met within the body: what came before it is kept.
  auto open = writer(upload, 2);
  ASSERT_TRUE(open->append(as_bytes("cd")).ok());
  EXPECT_EQ(code(open->append(as_bytes("ef"))), ErrorCode::upload_too_large);
  open.reset();
  EXPECT_EQ(offset(upload), 4u);
}

TEST_F(ResumableUploadTest, AWrongChecksumLeavesNothing) {
  const ChunkChecksum wrong{ChecksumAlgorithm::crc32, Bytes(4)};
  const ChunkChecksum right{ChecksumAlgorithm::sha256, from_hex(kAbcSum).value()};
  const std::string upload = begin(6);
  EXPECT_EQ(code(patch(upload, 0, "abc", wrong)), ErrorCode::upload_checksum_differs);
  EXPECT_EQ(offset(upload), 0u);
  EXPECT_EQ(patch(upload, 0, "abc", right)->offset, 3u);
  EXPECT_EQ(code(patch(upload, 3, "xyz", wrong)), ErrorCode::upload_checksum_differs);
  EXPECT_EQ(uploads_->get(upload)->state, UploadState::waiting);
  EXPECT_EQ(patch(upload, 3, "abc", right)->record.state, UploadState::complete);
  EXPECT_EQ(bytes_of(upload), "abcabc");
}

TEST_F(ResumableUploadTest, ABodyWithAChecksumThatBreaksOffLeavesNothing) {
  const std::string upload = begin(100);
  {
    auto made = uploads_->resume({upload, 0, {}, ChunkChecksum{ChecksumAlgorithm::crc32, Bytes(4)}});
    ASSERT_TRUE(made.ok());
    ASSERT_TRUE((*made)->append(as_bytes("far more than is synced at once")).ok());
    EXPECT_EQ(offset(upload), 0u);
  }
  EXPECT_EQ(offset(upload), 0u);
  EXPECT_EQ(patch(upload, 0, "ab")->offset, 2u);
}

TEST_F(ResumableUploadTest, OneWriterAtATime) {
  const std::string upload = begin(3);
  auto first = writer(upload, 0);
  EXPECT_EQ(code(uploads_->resume({upload, 0, {}, {}})), ErrorCode::upload_locked);
  EXPECT_EQ(code(uploads_->terminate(upload)), ErrorCode::upload_locked);
  first.reset();
  EXPECT_TRUE(uploads_->terminate(upload).ok());
  EXPECT_EQ(code(uploads_->status(upload)), ErrorCode::upload_not_found);
  EXPECT_EQ(code(uploads_->terminate(upload)), ErrorCode::upload_not_found);
  EXPECT_EQ(files(), 0u);
}

TEST_F(ResumableUploadTest, EachKindHasItsOwnWay) {
  const std::string resumable = begin(3);
  EXPECT_EQ(code(uploads_->write(resumable)), ErrorCode::upload_not_found);
  const auto whole = uploads_->begin({"film.mp4", 3, "film", false});
  EXPECT_EQ(code(uploads_->resume({whole->upload, 0, {}, {}})), ErrorCode::upload_not_found);
}

TEST_F(ResumableUploadTest, AFullDiskKeepsWhatCameBefore) {
  const std::string upload = begin(3);
  ASSERT_TRUE(patch(upload, 0, "a").ok());
  UploadOptions full = options();
  full.free_bytes_min = 1ull << 60;
  open(full);
  EXPECT_EQ(code(patch(upload, 1, "bc")), ErrorCode::disk_full);
  restart();
  EXPECT_EQ(offset(upload), 1u);
  EXPECT_EQ(patch(upload, 1, "bc")->record.sha256, kAbcSum);
}

TEST_F(ResumableUploadTest, LostBytesAreSaidNotMadeUp) {
  const std::string upload = begin(5);
  ASSERT_TRUE(patch(upload, 0, "abc").ok());
  std::filesystem::resize_file(uploads_->part_path(upload), 2);
  EXPECT_EQ(code(patch(upload, 3, "de")), ErrorCode::stored_data_corrupt);
}

TEST_F(ResumableUploadTest, WhatIsNotTakenIsBounded) {
  UploadOptions few = options();
  few.untaken_max = 2;
  few.untaken_bytes_max = 10;
  open(few);
  const std::string first = begin(6);
  UploadRequest request{"film.mp4", 5, "film", false};
  EXPECT_EQ(code(uploads_->begin(request)), ErrorCode::upload_quota_reached);
  request.size_bytes = 4;
  EXPECT_TRUE(uploads_->begin(request).ok());
  request.size_bytes = 1;
  EXPECT_EQ(code(uploads_->begin(request)), ErrorCode::upload_quota_reached);
  ASSERT_TRUE(uploads_->terminate(first).ok());
  EXPECT_TRUE(uploads_->begin(request).ok());
}

TEST_F(ResumableUploadTest, UnfinishedOnesExpireAfterTheirLastByte) {
  const std::string upload = begin(3);
  clock_.now += std::chrono::hours(71);
  ASSERT_TRUE(patch(upload, 0, "a").ok());
  clock_.now += std::chrono::hours(71);
  ASSERT_TRUE(uploads_->remove_expired().ok());
  EXPECT_EQ(offset(upload), 1u);
  {
    const auto open = writer(upload, 1);
    clock_.now += std::chrono::hours(2);
    ASSERT_TRUE(uploads_->remove_expired().ok());
  }
  EXPECT_EQ(offset(upload), 1u);  // somebody was at work on it
  ASSERT_TRUE(uploads_->remove_expired().ok());
  EXPECT_EQ(code(uploads_->status(upload)), ErrorCode::upload_not_found);
  EXPECT_EQ(files(), 0u);
}

TEST_F(ResumableUploadTest, TheSameBytesAreRecognised) {
  const std::string first = begin(3);
  ASSERT_TRUE(patch(first, 0, "abc").ok());
  EXPECT_EQ(uploads_->get(first)->duplicate_of, "");
  ASSERT_TRUE(catalog_->create({"film", "", "en", 3, false, uploads_->get(first).value(), "job"}).ok());
  const auto whole = uploads_->begin({"again.mp4", 3, "other", false});
  auto put = uploads_->write(whole->upload);
  ASSERT_TRUE((*put)->append(as_bytes("abc")).ok());
  EXPECT_EQ((*put)->finish()->duplicate_of, "film/v1");
  EXPECT_EQ(uploads_->get(whole->upload)->duplicate_of, "film/v1");
}

TEST_F(ResumableUploadTest, PartsBecomeOneUpload) {
  const std::string a = begin(1, true), b = begin(2, true);
  const ConcatRequest request{{a, b}, "final;a b", {"film.mp4", "film", "", false}, "m"};
  ASSERT_TRUE(patch(a, 0, "a").ok());
  EXPECT_EQ(code(uploads_->concatenate(request)), ErrorCode::upload_incomplete);
  EXPECT_EQ(patch(b, 0, "bc")->offset, 2u);
  // A part is whole and yet no upload that a title may take.
  EXPECT_EQ(uploads_->get(a)->state, UploadState::waiting);
  restart();
  const auto whole = uploads_->concatenate(request);
  ASSERT_TRUE(whole.ok()) << describe(whole.error());
  EXPECT_EQ(whole->sha256, kAbcSum);
  EXPECT_EQ(bytes_of(whole->upload), "abc");
  EXPECT_EQ(files(), 1u);
  EXPECT_EQ(code(uploads_->status(a)), ErrorCode::upload_not_found);
  EXPECT_EQ(code(uploads_->resume({whole->upload, 3, {}, {}})), ErrorCode::upload_is_final);
  EXPECT_EQ(code(uploads_->concatenate(request)), ErrorCode::upload_not_found);
  EXPECT_EQ(code(uploads_->concatenate({{begin(1)}, "", {}, ""})), ErrorCode::http_bad_request);
}

TEST_F(ResumableUploadTest, ListsWhatIsNotTaken) {
  const std::string upload = begin(3);
  ASSERT_TRUE(patch(upload, 0, "ab").ok());
  const auto list = uploads_->list();
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ((*list)[0].offset, 2u);
  EXPECT_EQ((*list)[0].expires_at_ms, clock_.wall_ms() + std::chrono::milliseconds(std::chrono::hours(72)).count());
}

}  // namespace
}  // namespace reelway::origin
