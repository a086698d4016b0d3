#include "origin/ingest/uploads_state.h"

#include <algorithm>

#include "origin/ingest/durable_files.h"
#include "origin/ingest/progress_file.h"

namespace reelway::origin {
namespace {

// A complete upload that no title took.
constexpr std::int64_t kCompleteMax_ms = std::chrono::milliseconds(std::chrono::hours(24 * 7)).count();
constexpr std::size_t kPage = 500;

Error refuse(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

}  // namespace

Result<void> Uploads::State::check_room(std::uint64_t bytes) const {
  const std::uint64_t available = free_bytes(folder);
  if (available >= options.free_bytes_min && available - options.free_bytes_min >= bytes) return {};
  return Error{ErrorCode::disk_full, Side::disk, true,
               folder + " has " + std::to_string(available >> 20) + " MiB free, the upload needs " +
                   std::to_string(bytes >> 20) + " MiB and " + std::to_string(options.free_bytes_min >> 20) +
                   " MiB must stay free"};
}

Result<void> Uploads::State::check_quota(std::uint64_t bytes) {
  const Result<std::vector<UploadRecord>> records = all();
  if (!records.ok()) return records.error();
  std::uint64_t announced = 0;
  std::size_t count = 0;
  for (const UploadRecord& record : *records) {
    if (record.state == UploadState::taken) continue;
    announced += record.size_bytes;
    ++count;
  }
  if (count >= options.untaken_max) {
    return Error{ErrorCode::upload_quota_reached, Side::client, true,
                 std::to_string(count) + " uploads, ingest.untaken_max allows " + std::to_string(options.untaken_max)};
  }
  if (announced <= options.untaken_bytes_max && bytes <= options.untaken_bytes_max - announced) return {};
  return Error{ErrorCode::upload_quota_reached, Side::client, true,
               std::to_string(announced) + " bytes are announced, " + std::to_string(bytes) +
                   " more are asked for, ingest.untaken_bytes_max allows " + std::to_string(options.untaken_bytes_max)};
}

Result<void> Uploads::State::begin_writing(std::string_view upload, ErrorCode busy) {
  const std::lock_guard hold(mutex);
  if (being_written.contains(upload)) return Error{busy, Side::client, true, std::string(upload)};
  if (being_written.size() >= options.writers_max) {
    return Error{ErrorCode::overloaded, Side::self, true,
                 std::to_string(being_written.size()) + " uploads are being received"};
  }
  being_written.emplace(upload);
  return {};
}

void Uploads::State::end_writing(const std::string& upload) {
  const std::lock_guard hold(mutex);
  being_written.erase(upload);
}

Result<UploadRecord> Uploads::State::get(std::string_view upload) {
  const std::string key = upload_key(upload);
  const Result<std::optional<KeyValue>> entry = store.get(key);
  if (!entry.ok()) return entry.error();
  if (!entry->has_value()) return refuse(ErrorCode::upload_not_found, std::string(upload));
  return parse_upload(key, (*entry)->value);
}

Result<std::vector<UploadRecord>> Uploads::State::all() {
  std::vector<UploadRecord> records;
  std::string after;
  for (bool more = true; more;) {
    Result<Page> page = store.range(kUploadPrefix, kPage, after);
    if (!page.ok()) return std::move(page).error();
    for (const KeyValue& entry : page->entries) {
      Result<UploadRecord> record = parse_upload(entry.key, entry.value);
      if (!record.ok()) return std::move(record).error();
      records.push_back(std::move(record).value());
      after = entry.key;
    }
    more = page->more;
  }
  return records;
}

Result<void> Uploads::State::announce(const UploadRecord& record) {
  Txn txn;
  txn.then_operations = {Operation::put(upload_key(record.upload), to_json(record))};
  const Result<TxnReply> reply = store.txn(txn);
  if (!reply.ok()) return reply.error();
  return {};
}

namespace {

Result<void> change(ControlStore& store, const UploadRecord& before, Operation operation) {
  Txn txn;
  txn.compares = {{upload_key(before.upload), Compare::Field::value, Compare::Relation::equal, 0, to_json(before)}};
  txn.then_operations = {std::move(operation)};
  const Result<TxnReply> reply = store.txn(txn);
  if (!reply.ok()) return reply.error();
  if (!reply->succeeded) return refuse(ErrorCode::store_conflict, "upload " + before.upload);
  return {};
}

}  // namespace

Result<void> Uploads::State::replace(const UploadRecord& before, const UploadRecord& after) {
  return change(store, before, Operation::put(upload_key(after.upload), to_json(after)));
}

Result<void> Uploads::State::erase(const UploadRecord& record) {
  return change(store, record, Operation::erase(upload_key(record.upload)));
}

Result<UploadRecord> Uploads::State::complete(const UploadRecord& record, std::string sha256) {
  UploadRecord whole = record;
  whole.state = UploadState::complete;
  whole.sha256 = std::move(sha256);
  whole.completed_at_ms = clock.wall_ms();
  const auto original = catalog.find_original(whole.sha256);
  if (!original.ok()) return original.error();
  whole.duplicate_of = *original;
  REELWAY_TRY(replace(record, whole));
  return whole;
}

Result<void> Uploads::State::remove_files(std::string_view upload) const {
  REELWAY_TRY(remove_all(part_path(upload)));
  return remove_all(progress_path(upload));
}

Result<UploadStatus> Uploads::State::status(UploadRecord record) const {
  UploadStatus status;
  std::int64_t last_ms = std::max(record.created_at_ms, record.completed_at_ms);
  if (record.state != UploadState::waiting) {
    status.offset = record.size_bytes;
    if (record.state == UploadState::complete) status.expires_at_ms = last_ms + kCompleteMax_ms;
  } else {
    if (record.resumable) {
      const Result<std::optional<UploadProgress>> progress = ProgressFile::read(progress_path(record.upload));
      if (!progress.ok()) return progress.error();
      if (progress->has_value()) {
        status.offset = (*progress)->offset();
        last_ms = std::max(last_ms, (*progress)->written_at_ms);
      }
    }
    status.expires_at_ms = last_ms + options.unfinished_keep.count();
  }
  status.record = std::move(record);
  return status;
}

bool Uploads::State::is_over(const UploadStatus& status) const {
  return status.expires_at_ms != 0 && clock.wall_ms() > status.expires_at_ms;
}

Result<WritingClaim> WritingClaim::take(std::shared_ptr<Uploads::State> uploads, std::string_view upload,
                                        ErrorCode busy) {
  REELWAY_TRY(uploads->begin_writing(upload, busy));
  return WritingClaim(std::move(uploads), upload);
}

WritingClaim::~WritingClaim() {
  if (uploads_) uploads_->end_writing(upload_);
}

}  // namespace reelway::origin
