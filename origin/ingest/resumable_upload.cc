#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/check.h"
#include "common/base/unique_fd.h"
#include "common/telemetry/log.h"
#include "origin/ingest/chunk_sum.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/file_bytes.h"
#include "origin/ingest/progress_file.h"
#include "origin/ingest/uploads_state.h"

// Model. Bytes are appended to uploads/<id>.part and summed on the way. What counts is the offset in
// uploads/<id>.progress: it is written, with the state of the sum, after the bytes before it have been synced, so it
// holds after a power cut too, and the file's own length means nothing. Whoever goes on cuts the file to that offset.
//
//   append ... append, and every sync_bytes a checkpoint:  fdatasync(part), then the progress
//   finish, or a body that breaks off:                     the same
//   finish with the last byte:                             fdatasync(part), then the record turns complete
//
// Progress never says "all of it" of an upload that is to be whole: that is said by the record alone. A crash between
// the last byte and the record costs the bytes since the checkpoint before, which were not acknowledged.
//
// A body with a checksum makes no checkpoint before its end, so a crash or a cut within it leaves what was before.
//
// After an fdatasync that failed nothing is promised any more: the kernel may have dropped what it could not write, and
// a second fdatasync would succeed. The file is cut to the last checkpoint by the next writer.

namespace reelway::origin {
namespace {

Error refuse(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

Result<void> cut_file(const UniqueFd& file, const std::string& path, std::uint64_t bytes) {
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) == 0) return {};
  return system_error("ftruncate", path, errno);
}

Result<void> sync_data(const UniqueFd& file, const std::string& path) {
  if (::fdatasync(file.get()) == 0) return {};
  return system_error("fdatasync", path, errno);
}

// Whether bytes from this offset may come, and so many of them.
Result<void> check_continuation(const ResumeRequest& request, const UploadStatus& status) {
  const UploadRecord& record = status.record;
  if (!record.resumable) return refuse(ErrorCode::upload_not_found, request.upload + " is sent by PUT, as a whole");
  if (!record.parts.empty()) return refuse(ErrorCode::upload_is_final, request.upload);
  if (record.state == UploadState::taken) {
    return refuse(ErrorCode::upload_not_found, "a title has taken upload " + request.upload);
  }
  if (request.offset != status.offset) {
    return refuse(ErrorCode::upload_offset_differs, "the upload has " + std::to_string(status.offset) +
                                                        " bytes, the request begins at " +
                                                        std::to_string(request.offset));
  }
  if (request.body_bytes.value_or(0) <= record.size_bytes - status.offset) return {};
  return refuse(ErrorCode::upload_too_large, std::to_string(*request.body_bytes) + " bytes at offset " +
                                                 std::to_string(status.offset) + " of " +
                                                 std::to_string(record.size_bytes));
}

}  // namespace

struct ResumableWriter::State {
  WritingClaim claim;
  std::shared_ptr<Uploads::State> uploads;
  UploadRecord record;
  std::string path;
  UniqueFd file;  // none when the upload was complete before
  std::optional<ProgressFile> progress;
  Sha256 sum;
  std::uint64_t durable = 0;  // the last checkpoint
  std::optional<ChunkChecksum> checksum;
  std::optional<ChunkSum> chunk;
  bool failed = false;  // an append was: the file may have more than was summed
  bool lost = false;    // a sync failed: nothing after `durable` may be promised
  bool ended = false;   // nothing is left to keep

  explicit State(WritingClaim claim_in) : claim(std::move(claim_in)) {}

  std::uint64_t offset() const { return sum.midstate().bytes; }
  bool is_whole() const { return offset() == record.size_bytes && !record.partial; }

  Result<void> open();
  Result<void> write(ByteView bytes);
  Result<void> sync();
  Result<void> checkpoint();
  Result<void> complete();
  Result<void> verify();
  void keep();
};

Result<void> ResumableWriter::State::open() {
  Result<std::optional<UploadProgress>> last = ProgressFile::read(uploads->progress_path(record.upload));
  if (!last.ok()) return std::move(last).error();
  if (last->has_value()) sum = Sha256((*last)->sum);
  durable = offset();
  file = UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return system_error("open", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return system_error("stat", path, errno);
  if (S_ISREG(info.st_mode)) {
    if (static_cast<std::uint64_t>(info.st_size) < durable) {
      return Error{
          ErrorCode::stored_data_corrupt, Side::disk, false,
          path + " has " + std::to_string(info.st_size) + " bytes, " + std::to_string(durable) + " were acknowledged"};
    }
    REELWAY_TRY(cut_file(file, path, durable));
    if (::lseek(file.get(), static_cast<off_t>(durable), SEEK_SET) < 0) return system_error("lseek", path, errno);
  }
  Result<ProgressFile> opened = ProgressFile::open(uploads->progress_path(record.upload));
  if (!opened.ok()) return std::move(opened).error();
  progress = std::move(opened).value();
  // Their names must hold as well as what is in them.
  if (durable == 0) REELWAY_TRY(sync_folder(uploads->folder));
  return {};
}

Result<void> ResumableWriter::State::write(ByteView bytes) {
  return write_all(file.get(), path, bytes);
}

Result<void> ResumableWriter::State::sync() {
  const Result<void> synced = sync_data(file, path);
  lost = lost || !synced.ok();
  return synced;
}

Result<void> ResumableWriter::State::checkpoint() {
  if (offset() == durable) return {};
  CHECK(!is_whole());
  REELWAY_TRY(sync());
  const Result<void> written = progress->write({0, uploads->clock.wall_ms(), sum.midstate()});
  lost = lost || !written.ok();
  if (written.ok()) durable = offset();
  return written;
}

Result<void> ResumableWriter::State::complete() {
  REELWAY_TRY(sync());
  Result<UploadRecord> whole = uploads->complete(record, sum.finish());
  if (!whole.ok()) return std::move(whole).error();
  record = std::move(whole).value();
  // recover() removes it too, so its removal may fail.
  if (const Result<void> removed = remove_all(uploads->progress_path(record.upload)); !removed.ok()) {
    telemetry::log_warn("upload {}: {}", record.upload, describe(removed.error()));
  }
  return {};
}

Result<void> ResumableWriter::State::verify() {
  if (!checksum || chunk->finish() == checksum->expected) return {};
  return refuse(ErrorCode::upload_checksum_differs,
                std::to_string(offset() - durable) + " bytes at offset " + std::to_string(durable) + " were dropped");
}

void ResumableWriter::State::keep() {
  if (ended || lost || checksum || offset() == durable) return;
  Result<void> kept = failed ? cut_file(file, path, offset()) : Result<void>();
  if (kept.ok()) kept = is_whole() ? complete() : checkpoint();
  if (!kept.ok()) {
    telemetry::log_warn("upload {}: {} bytes that came are not kept: {}", record.upload, offset() - durable,
                        describe(kept.error()));
  }
}

ResumableWriter::ResumableWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ResumableWriter::~ResumableWriter() {
  state_->keep();
}

Result<void> ResumableWriter::append(ByteView bytes) {
  State& state = *state_;
  CHECK(!state.failed && !state.ended);
  state.failed = true;
  const bool open = state.record.state == UploadState::waiting;
  if (bytes.size() > (open ? state.record.size_bytes - state.offset() : 0)) {
    return refuse(ErrorCode::upload_too_large,
                  "more than the announced " + std::to_string(state.record.size_bytes) + " bytes");
  }
  REELWAY_TRY(state.uploads->check_room(bytes.size()));
  REELWAY_TRY(state.write(bytes));
  state.sum.add(bytes);
  if (state.chunk) state.chunk->add(bytes);
  const bool due = state.offset() - state.durable >= state.uploads->options.sync_bytes;
  if (due && !state.checksum && !state.is_whole()) REELWAY_TRY(state.checkpoint());
  state.failed = false;
  return {};
}

Result<UploadStatus> ResumableWriter::finish() {
  State& state = *state_;
  CHECK(!state.failed && !state.ended);
  state.ended = true;
  REELWAY_TRY(state.verify());
  if (state.record.state == UploadState::waiting) {
    REELWAY_TRY(state.is_whole() ? state.complete() : state.checkpoint());
  }
  return state.uploads->status(state.record);
}

Result<std::unique_ptr<ResumableWriter>> Uploads::resume(const ResumeRequest& request) {
  Result<WritingClaim> claim = WritingClaim::take(state_, request.upload, ErrorCode::upload_locked);
  if (!claim.ok()) return std::move(claim).error();
  Result<UploadStatus> status = this->status(request.upload);
  if (!status.ok()) return std::move(status).error();
  REELWAY_TRY(check_continuation(request, *status));
  auto opened = std::make_unique<ResumableWriter::State>(std::move(claim).value());
  opened->uploads = state_;
  opened->record = std::move(status->record);
  opened->path = state_->part_path(request.upload);
  opened->checksum = request.checksum;
  if (request.checksum) opened->chunk.emplace(request.checksum->algorithm);
  if (opened->record.state == UploadState::waiting) {
    REELWAY_TRY(state_->check_room(opened->record.size_bytes - status->offset));
    REELWAY_TRY(opened->open());
  }
  return std::unique_ptr<ResumableWriter>(new ResumableWriter(std::move(opened)));
}

}  // namespace reelway::origin
