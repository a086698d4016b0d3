#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/unique_fd.h"
#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/file_bytes.h"
#include "origin/ingest/sha256.h"
#include "origin/ingest/uploads_state.h"

// tus concatenation: whole partial uploads, one behind the other, become a complete upload. Its record is made when its
// file is whole and synced, so a crash leaves either the parts or the whole; a file without a record is removed at the
// next start. The parts are removed at the end.

namespace reelway::origin {
namespace {

Error refuse(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

// One at a time: it keeps a worker for as long as the disk needs to copy the film.
class Turn {
 public:
  explicit Turn(Uploads::State& uploads) : uploads_(uploads) {
    const std::lock_guard hold(uploads_.mutex);
    mine_ = !uploads_.concatenating;
    uploads_.concatenating = true;
  }
  ~Turn() {
    if (!mine_) return;
    const std::lock_guard hold(uploads_.mutex);
    uploads_.concatenating = false;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool mine() const { return mine_; }

 private:
  Uploads::State& uploads_;
  bool mine_ = false;
};

struct Parts {
  std::vector<WritingClaim> claims;
  std::vector<UploadRecord> records;
  std::uint64_t bytes = 0;
};

Result<void> add_part(const std::shared_ptr<Uploads::State>& uploads, const std::string& id, Parts& parts) {
  Result<UploadRecord> record = uploads->get(id);
  if (!record.ok()) return std::move(record).error();
  if (!record->partial) return refuse(ErrorCode::http_bad_request, "Upload-Concat: " + id + " is no partial upload");
  Result<WritingClaim> claim = WritingClaim::take(uploads, id, ErrorCode::upload_locked);
  if (!claim.ok()) return std::move(claim).error();
  const Result<UploadStatus> status = uploads->status(*record);
  if (!status.ok()) return status.error();
  if (status->offset != record->size_bytes) {
    return refuse(ErrorCode::upload_incomplete, "part " + id + " has " + std::to_string(status->offset) + " of " +
                                                    std::to_string(record->size_bytes) + " bytes");
  }
  parts.bytes += record->size_bytes;
  parts.claims.push_back(std::move(claim).value());
  parts.records.push_back(std::move(record).value());
  return {};
}

// The whole file, durable, and its sum.
Result<std::string> join(const Uploads::State& uploads, const std::vector<UploadRecord>& parts,
                         const UploadRecord& whole) {
  const std::string path = uploads.part_path(whole.upload);
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return system_error("open", path, errno);
  Sha256 sum;
  for (const UploadRecord& part : parts) {
    REELWAY_TRY(read_pieces(uploads.part_path(part.upload), 0, [&](ByteView piece) {
      sum.add(piece);
      return write_all(file.get(), path, piece);
    }));
  }
  if (sum.midstate().bytes != whole.size_bytes) {
    return Error{ErrorCode::stored_data_corrupt, Side::disk, false,
                 "the parts of " + path + " have " + std::to_string(sum.midstate().bytes) + " bytes, not " +
                     std::to_string(whole.size_bytes)};
  }
  if (::fsync(file.get()) != 0) return system_error("fsync", path, errno);
  REELWAY_TRY(sync_folder(uploads.folder));
  return sum.finish();
}

// The whole is told of before the parts go, so that a crash in between leaves too much rather than too little.
Result<void> record(Uploads::State& uploads, const std::vector<UploadRecord>& parts, const UploadRecord& whole) {
  const Result<void> announced = uploads.announce(whole);
  if (!announced.ok()) return announced;
  for (const UploadRecord& part : parts) {
    Result<void> removed = uploads.erase(part);
    if (removed.ok()) removed = uploads.remove_files(part.upload);
    // It is whole without this: what stays of a part expires like any other upload.
    if (!removed.ok()) telemetry::log_warn("part {}: {}", part.upload, describe(removed.error()));
  }
  return {};
}

Result<void> join_and_record(Uploads::State& uploads, const std::vector<UploadRecord>& parts, UploadRecord& whole) {
  Result<std::string> sum = join(uploads, parts, whole);
  if (!sum.ok()) return std::move(sum).error();
  whole.sha256 = std::move(sum).value();
  Result<std::string> original = uploads.catalog.find_original(whole.sha256);
  if (!original.ok()) return std::move(original).error();
  whole.duplicate_of = std::move(original).value();
  return record(uploads, parts, whole);
}

}  // namespace

Result<UploadRecord> Uploads::concatenate(const ConcatRequest& request) {
  if (!request.naming.title.empty()) {
    REELWAY_TRY(state_->catalog.check_new(request.naming.title, request.naming.new_version));
  }
  const Turn turn(*state_);
  if (!turn.mine()) return Error{ErrorCode::overloaded, Side::self, true, "another upload is being concatenated"};
  Parts parts;
  for (const std::string& id : request.parts) REELWAY_TRY(add_part(state_, id, parts));
  if (parts.bytes > state_->options.upload_bytes_max) {
    return refuse(ErrorCode::upload_too_large,
                  std::to_string(parts.bytes) + " bytes, at most " + std::to_string(state_->options.upload_bytes_max));
  }
  REELWAY_TRY(state_->check_room(parts.bytes));

  UploadRecord whole;
  whole.upload = state_->random.hex_id();
  whole.filename = request.naming.filename;
  whole.size_bytes = parts.bytes;
  whole.title = request.naming.title;
  whole.new_version = request.naming.new_version;
  whole.fingerprint = request.naming.fingerprint;
  whole.metadata = request.metadata;
  whole.parts = request.parts_text;
  whole.resumable = true;
  whole.created_at_ms = whole.completed_at_ms = state_->clock.wall_ms();
  whole.state = UploadState::complete;
  const Result<void> made = join_and_record(*state_, parts.records, whole);
  if (made.ok()) return whole;
  // Where the record may have been written, the file must stay: recover() removes it if the record was not.
  if (made.error().code != ErrorCode::store_unknown) REELWAY_TRY(remove_all(state_->part_path(whole.upload)));
  return made.error();
}

}  // namespace reelway::origin
