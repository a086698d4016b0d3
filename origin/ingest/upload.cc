#include "origin/ingest/upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <set>

#include "common/base/check.h"
#include "common/base/unique_fd.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/sha256.h"

// Model. An upload is a record and, while and after its bytes come, the file uploads/<id>.part:
//
//   waiting   announced; a writer may be at work, and its file is worth nothing until it has finished
//   complete  the file is whole, synced, and its SHA-256 is in the record
//   taken     a title's job owns the file, and moves it to originals/
//
// The record turns complete after the file is durable, so a complete record always has its file. Which uploads are
// being written is only in memory: after a crash nobody writes.

namespace reelway::origin {
namespace {

using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::milliseconds;

// An announced upload whose bytes never came, and a complete one that no title took.
constexpr std::int64_t kWaitingMax_ms = duration_cast<milliseconds>(hours(24)).count();
constexpr std::int64_t kCompleteMax_ms = duration_cast<milliseconds>(hours(24 * 7)).count();
constexpr std::size_t kFilenameMax = 255;
constexpr std::size_t kPage = 500;

Error refuse(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

}  // namespace

struct Uploads::State {
  ControlStore& store;
  Catalog& catalog;
  const Clock& clock;
  Random& random;
  const UploadOptions options;
  std::string folder;
  std::mutex mutex;
  std::set<std::string, std::less<>> being_written;  // guarded by mutex

  std::string part_path(std::string_view upload) const { return folder + "/" + std::string(upload) + ".part"; }

  Result<void> check_room(std::uint64_t bytes) const {
    const std::uint64_t available = free_bytes(folder);
    if (available >= options.free_bytes_min && available - options.free_bytes_min >= bytes) return {};
    return Error{ErrorCode::disk_full, Side::disk, true,
                 folder + " has " + std::to_string(available >> 20) + " MiB free, the upload needs " +
                     std::to_string(bytes >> 20) + " MiB and " + std::to_string(options.free_bytes_min >> 20) +
                     " MiB must stay free"};
  }

  Result<void> begin_writing(std::string_view upload) {
    const std::lock_guard hold(mutex);
    if (being_written.contains(upload)) return refuse(ErrorCode::upload_in_progress, std::string(upload));
    if (being_written.size() >= options.writers_max) {
      return Error{ErrorCode::overloaded, Side::self, true,
                   std::to_string(being_written.size()) + " uploads are being received"};
    }
    being_written.emplace(upload);
    return {};
  }

  void end_writing(const std::string& upload) {
    const std::lock_guard hold(mutex);
    being_written.erase(upload);
  }

  // Compares with what was read, so that an upload that a title took meanwhile is not taken back.
  Result<void> replace(const UploadRecord& before, const UploadRecord& after) {
    Txn txn;
    txn.compares = {{upload_key(before.upload), Compare::Field::value, Compare::Relation::equal, 0, to_json(before)}};
    txn.then_operations = {Operation::put(upload_key(after.upload), to_json(after))};
    const Result<TxnReply> reply = store.txn(txn);
    if (!reply.ok()) return reply.error();
    if (!reply->succeeded) return refuse(ErrorCode::store_conflict, "upload " + before.upload);
    return {};
  }

  Result<std::vector<UploadRecord>> all() {
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

  bool is_over(const UploadRecord& record) const {
    const std::int64_t age_ms = clock.wall_ms() - record.created_at_ms;
    if (record.state == UploadState::waiting) return age_ms > kWaitingMax_ms;
    return record.state == UploadState::complete && age_ms > kCompleteMax_ms;
  }
};

struct UploadWriter::State {
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
  if (!state_->finished) {
    state_->file.reset();
    ::unlink(state_->path.c_str());
  }
  state_->uploads->end_writing(state_->record.upload);
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
  for (ByteView rest = bytes; !rest.empty();) {
    const ssize_t count = ::write(state_->file.get(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("write", state_->path, errno);
    rest = rest.subspan(static_cast<std::size_t>(count));
  }
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
  UploadRecord complete = state_->record;
  complete.state = UploadState::complete;
  complete.sha256 = state_->sum.finish();
  const Result<void> recorded = state_->uploads->replace(state_->record, complete);
  // Where the record may have been written, the file must stay: recover() removes it if the record was not.
  state_->finished = recorded.ok() || recorded.error().code == ErrorCode::store_unknown;
  if (!recorded.ok()) return recorded.error();
  return complete;
}

Uploads::Uploads(ControlStore& store, Catalog& catalog, const Clock& clock, Random& random, UploadOptions options)
    : state_(new State{store, catalog, clock, random, std::move(options), {}, {}, {}}) {
  state_->folder = state_->options.data_dir + "/uploads";
}
Uploads::~Uploads() = default;

std::string Uploads::part_path(std::string_view upload) const {
  return state_->part_path(upload);
}

Result<void> Uploads::recover() {
  REELWAY_TRY(make_folders(state_->folder));
  const Result<std::vector<UploadRecord>> records = state_->all();
  if (!records.ok()) return records.error();
  std::set<std::string> owned;
  for (const UploadRecord& record : *records) {
    if (state_->is_over(record)) {
      Txn txn;
      txn.then_operations = {Operation::erase(upload_key(record.upload))};
      if (const Result<TxnReply> erased = state_->store.txn(txn); !erased.ok()) return erased.error();
    } else if (record.state != UploadState::waiting) {
      owned.insert(record.upload + ".part");
    }
  }
  std::error_code failure;
  for (const auto& file : std::filesystem::directory_iterator(state_->folder, failure)) {
    if (!owned.contains(file.path().filename().string())) REELWAY_TRY(remove_all(file.path().string()));
  }
  if (failure) return system_error("list", state_->folder, failure.value());
  return {};
}

Result<UploadRecord> Uploads::begin(const UploadRequest& request) {
  REELWAY_TRY(state_->catalog.check_new(request.title, request.new_version));
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
  Txn txn;
  txn.then_operations = {Operation::put(upload_key(record.upload), to_json(record))};
  if (const Result<TxnReply> reply = state_->store.txn(txn); !reply.ok()) return reply.error();
  return record;
}

Result<UploadRecord> Uploads::get(std::string_view upload) {
  const std::string key = upload_key(upload);
  const Result<std::optional<KeyValue>> entry = state_->store.get(key);
  if (!entry.ok()) return entry.error();
  if (!entry->has_value()) return refuse(ErrorCode::upload_not_found, std::string(upload));
  return parse_upload(key, (*entry)->value);
}

Result<std::unique_ptr<UploadWriter>> Uploads::write(std::string_view upload) {
  REELWAY_TRY(state_->begin_writing(upload));
  // From here on the writer's destructor ends the writing.
  auto writing = std::make_unique<UploadWriter::State>();
  writing->uploads = state_;
  writing->record.upload = upload;
  writing->path = state_->part_path(upload);
  writing->finished = true;  // nothing to remove yet
  std::unique_ptr<UploadWriter> writer(new UploadWriter(std::move(writing)));

  Result<UploadRecord> record = get(upload);
  if (!record.ok()) return std::move(record).error();
  if (record->state == UploadState::taken) return refuse(ErrorCode::upload_not_found, "a title has taken this upload");
  if (record->state == UploadState::complete) {
    // Its file is about to be overwritten, so it is complete no more.
    UploadRecord again = *record;
    again.state = UploadState::waiting;
    again.sha256.clear();
    REELWAY_TRY(state_->replace(*record, again));
    record = again;
  }
  REELWAY_TRY(state_->check_room(record->size_bytes));
  UploadWriter::State& opened = *writer->state_;
  opened.record = std::move(record).value();
  opened.file = UniqueFd(::open(opened.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!opened.file) return system_error("open", opened.path, errno);
  opened.finished = false;
  return writer;
}

}  // namespace reelway::origin
