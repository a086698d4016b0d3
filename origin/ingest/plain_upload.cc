#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/check.h"
#include "common/base/unique_fd.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/file_bytes.h"
#include "origin/ingest/sha256.h"
#include "origin/ingest/uploads_state.h"

// An upload in one PUT: the whole file or nothing.

namespace reelway::origin {
namespace {

Error refuse(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

}  // namespace

struct UploadWriter::State {
  explicit State(WritingClaim claim_in) : claim(std::move(claim_in)) {}
  WritingClaim claim;
  std::shared_ptr<Uploads::State> uploads;
  UploadRecord record;
  std::string path;
  UniqueFd file;
  Sha256 sum;
  std::uint64_t written = 0;
  bool failed = false;
  bool finished = false;
};

UploadWriter::UploadWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

UploadWriter::~UploadWriter() {
  if (state_->finished) return;
  state_->file.reset();
  ::unlink(state_->path.c_str());
}

std::uint64_t UploadWriter::bytes_written() const {
  return state_->written;
}

Result<void> UploadWriter::append(ByteView bytes) {
  CHECK(!state_->failed && !state_->finished);
  state_->failed = true;
  if (bytes.size() > state_->record.size_bytes - state_->written) {
    return refuse(ErrorCode::upload_too_large,
                  "more than the announced " + std::to_string(state_->record.size_bytes) + " bytes");
  }
  REELWAY_TRY(state_->uploads->check_room(bytes.size()));
  REELWAY_TRY(write_all(state_->file.get(), state_->path, bytes));
  state_->sum.add(bytes);
  state_->written += bytes.size();
  state_->failed = false;
  return {};
}

Result<UploadRecord> UploadWriter::finish() {
  CHECK(!state_->failed && !state_->finished);
  if (state_->written != state_->record.size_bytes) {
    return refuse(ErrorCode::upload_incomplete,
                  std::to_string(state_->written) + " of " + std::to_string(state_->record.size_bytes) + " bytes came");
  }
  if (::fsync(state_->file.get()) != 0) return system_error("fsync", state_->path, errno);
  REELWAY_TRY(sync_folder(state_->uploads->folder));
  const Result<UploadRecord> recorded = state_->uploads->complete(state_->record, state_->sum.finish());
  // Where the record may have been written, the file must stay: recover() removes it if the record was not.
  state_->finished = recorded.ok() || recorded.error().code == ErrorCode::store_unknown;
  return recorded;
}

Result<std::unique_ptr<UploadWriter>> Uploads::write(std::string_view upload) {
  Result<WritingClaim> claim = WritingClaim::take(state_, upload, ErrorCode::upload_in_progress);
  if (!claim.ok()) return std::move(claim).error();
  Result<UploadRecord> record = get(upload);
  if (!record.ok()) return std::move(record).error();
  if (record->resumable) {
    return refuse(ErrorCode::upload_not_found, std::string(upload) + " is sent by tus, in parts");
  }
  if (record->state == UploadState::taken) return refuse(ErrorCode::upload_not_found, "a title has taken this upload");
  if (record->state == UploadState::complete) {
    // Its file is about to be overwritten, so it is complete no more.
    UploadRecord again = *record;
    again.state = UploadState::waiting;
    again.sha256.clear();
    again.completed_at_ms = 0;
    again.duplicate_of.clear();
    REELWAY_TRY(state_->replace(*record, again));
    record = again;
  }
  REELWAY_TRY(state_->check_room(record->size_bytes));
  auto opened = std::make_unique<UploadWriter::State>(std::move(claim).value());
  opened->uploads = state_;
  opened->record = std::move(record).value();
  opened->path = state_->part_path(upload);
  opened->file = UniqueFd(::open(opened->path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!opened->file) return system_error("open", opened->path, errno);
  return std::unique_ptr<UploadWriter>(new UploadWriter(std::move(opened)));
}

}  // namespace reelway::origin
