#include "origin/ingest/upload.h"

#include <chrono>
#include <filesystem>
#include <set>

#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/uploads_state.h"

// Model. An upload is a record and, while and after its bytes come, the file uploads/<id>.part:
//
//   waiting   announced; a writer may be at work. Of one by PUT the file is worth nothing until it has finished; of a
//             resumable one uploads/<id>.progress says how much of it is (resumable_upload.cc). A partial upload stays
//             waiting for ever, since no title may take it.
//   complete  the file is whole, synced, and its SHA-256 is in the record
//   taken     a title's job owns the file, and moves it to originals/
//
// The record turns complete after the file is durable, so a complete record always has its file. Who may touch an
// upload's files is decided by WritingClaim, and only in memory: after a crash nobody writes.

namespace reelway::origin {
namespace {

constexpr std::size_t kFilenameMax = 255;

Error refuse(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

}  // namespace

Uploads::Uploads(ControlStore& store, Catalog& catalog, const Clock& clock, Random& random, UploadOptions options)
    : state_(new State{store, catalog, clock, random, std::move(options), {}, {}, {}, {}, false}) {
  state_->folder = state_->options.data_dir + "/uploads";
}
Uploads::~Uploads() = default;

std::string Uploads::part_path(std::string_view upload) const {
  return state_->part_path(upload);
}

Result<void> Uploads::recover() {
  REELWAY_TRY(make_folders(state_->folder));
  REELWAY_TRY(remove_expired());
  const Result<std::vector<UploadRecord>> records = state_->all();
  if (!records.ok()) return records.error();
  std::set<std::string> owned;
  for (const UploadRecord& record : *records) {
    const bool unfinished = record.state == UploadState::waiting;
    if (!unfinished || record.resumable) owned.insert(record.upload + ".part");
    if (unfinished && record.resumable) owned.insert(record.upload + ".progress");
  }
  std::error_code failure;
  for (const auto& file : std::filesystem::directory_iterator(state_->folder, failure)) {
    if (!owned.contains(file.path().filename().string())) REELWAY_TRY(remove_all(file.path().string()));
  }
  if (failure) return system_error("list", state_->folder, failure.value());
  return {};
}

Result<void> Uploads::remove_expired() {
  const Result<std::vector<UploadRecord>> records = state_->all();
  if (!records.ok()) return records.error();
  for (const UploadRecord& record : *records) {
    const Result<UploadStatus> status = state_->status(record);
    // One damaged upload must not keep the others.
    if (!status.ok()) telemetry::log_error("upload {}: {}", record.upload, describe(status.error()));
    if (!status.ok() || !state_->is_over(*status)) continue;
    const Result<void> removed = terminate(record.upload);
    if (removed.ok()) telemetry::log_info("upload {} of {} expired and was removed", record.upload, record.filename);
    // Somebody may have begun to write or taken it meanwhile, and then it is not over.
    const bool meanwhile = !removed.ok() && removed.error().side == Side::client;
    if (!removed.ok() && !meanwhile) telemetry::log_warn("upload {}: {}", record.upload, describe(removed.error()));
  }
  return {};
}

Result<UploadRecord> Uploads::begin(const UploadRequest& request) {
  if (!request.title.empty() || !request.resumable) {
    REELWAY_TRY(state_->catalog.check_new(request.title, request.new_version));
  }
  if (request.size_bytes == 0) return refuse(ErrorCode::http_bad_request, "size_bytes is 0: the file is empty");
  if (request.size_bytes > state_->options.upload_bytes_max) {
    return refuse(ErrorCode::upload_too_large, std::to_string(request.size_bytes) + " bytes, at most " +
                                                   std::to_string(state_->options.upload_bytes_max));
  }
  REELWAY_TRY(state_->check_room(request.size_bytes));
  UploadRecord record;
  record.upload = state_->random.hex_id();
  record.filename = request.filename.substr(0, kFilenameMax);
  record.size_bytes = request.size_bytes;
  record.title = request.title;
  record.new_version = request.new_version;
  record.created_at_ms = state_->clock.wall_ms();
  record.resumable = request.resumable;
  record.partial = request.partial;
  record.metadata = request.metadata;
  record.fingerprint = request.fingerprint;
  const std::lock_guard hold(state_->announcing);
  REELWAY_TRY(state_->check_quota(request.size_bytes));
  REELWAY_TRY(state_->announce(record));
  return record;
}

Result<UploadRecord> Uploads::get(std::string_view upload) {
  return state_->get(upload);
}

Result<UploadStatus> Uploads::status(std::string_view upload) {
  Result<UploadRecord> record = get(upload);
  if (!record.ok()) return std::move(record).error();
  return state_->status(std::move(record).value());
}

Result<std::vector<UploadStatus>> Uploads::list() {
  Result<std::vector<UploadRecord>> records = state_->all();
  if (!records.ok()) return std::move(records).error();
  std::vector<UploadStatus> list;
  for (const UploadRecord& record : *records) {
    if (record.state == UploadState::taken) continue;
    Result<UploadStatus> status = state_->status(record);
    // One damaged upload must not hide the others.
    if (status.ok()) {
      list.push_back(std::move(status).value());
    } else {
      telemetry::log_error("upload {}: {}", record.upload, describe(status.error()));
    }
  }
  return list;
}

Result<void> Uploads::terminate(std::string_view upload) {
  const Result<WritingClaim> claim = WritingClaim::take(state_, upload, ErrorCode::upload_locked);
  if (!claim.ok()) return claim.error();
  const Result<UploadRecord> record = get(upload);
  if (!record.ok()) return record.error();
  if (record->state == UploadState::taken) return refuse(ErrorCode::upload_not_found, "a title has taken this upload");
  REELWAY_TRY(state_->erase(*record));
  return state_->remove_files(upload);
}

}  // namespace reelway::origin
