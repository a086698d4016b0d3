// The threads of Imports: each takes one import after another from the queue and brings it to its end.

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>

#include "common/base/encoding.h"
#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/import_file.h"
#include "origin/ingest/import_run.h"
#include "origin/ingest/imports_state.h"

namespace reelway::origin {
namespace {

// How long an ended import is remembered, and a failed one's parts are kept.
constexpr std::int64_t kEndedMax_ms =
    std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::hours(24 * 7)).count();

std::string file_name(const std::string& key) {
  return key.substr(key.rfind('/') + 1);
}

class ObjectSource final : public ImportSource {
 public:
  ObjectSource(ObjectStore& store, const ImportRecord& record)
      : store_(store), name_{record.bucket, record.key}, head_{record.size_bytes, record.etag, {}} {}
  Result<void> read(std::uint64_t offset, std::uint64_t count, const Take& take, Patience& patience) override {
    return store_.read(name_, head_, {offset, count}, take, patience);
  }

 private:
  ObjectStore& store_;
  const ObjectName name_;
  const ObjectHead head_;
};

class WebSource final : public ImportSource {
 public:
  WebSource(WebFilms& films, WebUrl url, const ImportRecord& record)
      : films_(films), url_(std::move(url)), head_{record.size_bytes, record.etag, true} {}
  Result<void> read(std::uint64_t offset, std::uint64_t count, const Take& take, Patience& patience) override {
    return films_.read(url_, head_, offset, count, take, patience);
  }

 private:
  WebFilms& films_;
  const WebUrl url_;
  const WebHead head_;
};

}  // namespace

// What the configuration allows may be less by now than when the import began.
Result<std::unique_ptr<ImportSource>> Imports::State::open_source(const ImportRecord& record) {
  if (record.url.empty()) {
    const auto found = find_store(record.store);
    if (!found.ok()) return found.error();
    return std::unique_ptr<ImportSource>(new ObjectSource((*found)->transfers, record));
  }
  Result<WebUrl> url = web_transfers.allowed(record.url);
  if (!url.ok()) return std::move(url).error();
  return std::unique_ptr<ImportSource>(new WebSource(web_transfers, std::move(url).value(), record));
}

Result<void> Imports::start() {
  REELWAY_TRY(state_->recover());
  for (std::size_t i = 0; i < state_->options.objects_at_once; ++i) {
    state_->threads.emplace_back([this] { state_->work(); });
  }
  return {};
}

void Imports::stop() {
  {
    const std::lock_guard hold(state_->mutex);
    state_->stopping = true;
    for (const auto& [import, live] : state_->running) live->patience.give_up();
  }
  state_->foreground.give_up();
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

Result<void> Imports::State::recover() {
  REELWAY_TRY(make_folders(folder()));
  const Result<std::vector<ImportRecord>> records = load_all();
  if (!records.ok()) return records.error();
  std::set<std::string> owned;
  for (const ImportRecord& record : *records) {
    const bool is_old = record.state != ImportState::queued && clock.wall_ms() - record.ended_at_ms > kEndedMax_ms;
    if (is_old) {
      Txn txn;
      txn.then_operations = {Operation::erase(import_key(record.import))};
      if (const Result<TxnReply> erased = store.txn(txn); !erased.ok()) return erased.error();
      continue;
    }
    if (record.state == ImportState::queued) queue.push_back(record.import);
    if (record.state == ImportState::queued || record.state == ImportState::failed) owned.insert(record.import);
  }
  std::error_code failure;
  for (const auto& file : std::filesystem::directory_iterator(folder(), failure)) {
    if (!owned.contains(file.path().stem().string())) REELWAY_TRY(remove_all(file.path().string()));
  }
  if (failure) return system_error("list", folder(), failure.value());
  return {};
}

void Imports::State::work() {
  while (true) {
    std::string import;
    {
      std::unique_lock hold(mutex);
      changed.wait(hold, [this] { return stopping || !queue.empty(); });
      if (stopping) return;
      import = queue.front();
      queue.pop_front();
    }
    run(import);
  }
}

void Imports::State::run(const std::string& import) {
  auto live = std::make_shared<Running>();
  {
    const std::lock_guard hold(mutex);
    if (stopping) return;
    running.emplace(import, live);
  }
  Result<ImportRecord> record = load(import);
  Result<void> ended = record.ok() ? Result<void>() : Result<void>(record.error());
  // A cancelled one may still stand in the queue.
  if (record.ok() && record->state == ImportState::queued) {
    const Result<StreamedFilm> film = fetch(*record, *live);
    ended = film.ok() ? hand_over(*record, *film) : Result<void>(film.error());
    bool was_cancelled = false;
    {
      const std::lock_guard hold(mutex);
      was_cancelled = live->cancelled;
    }
    if (!ended.ok() && (was_cancelled || !is_interruption(ended.error()))) {
      ended = end(*record, ended.error(), was_cancelled);
    }
  }
  if (!ended.ok() && ended.error().code == ErrorCode::store_conflict) ended = drop_cancelled(import, ended.error());
  if (!ended.ok() && ended.error().code != ErrorCode::shutting_down) {
    telemetry::log_error("import {}: {}", import, describe(ended.error()));
  }
  const std::lock_guard hold(mutex);
  received_before += live->received;
  running.erase(import);
}

// An import that was cancelled just before it was at work: its record is ended, and its files are not yet gone.
Result<void> Imports::State::drop_cancelled(const std::string& import, const Error& conflict) {
  const Result<ImportRecord> record = load(import);
  if (!record.ok() || record->state != ImportState::cancelled) return conflict;
  return ImportFile::remove(path_of(*record));
}

Result<StreamedFilm> Imports::State::fetch(const ImportRecord& record, Running& live) {
  return record.ranges ? fetch_parts(record, live) : fetch_stream(record, live);
}

Result<StreamedFilm> Imports::State::fetch_parts(const ImportRecord& record, Running& live) {
  const auto source = open_source(record);
  if (!source.ok()) return source.error();
  const std::uint64_t held = exists(path_of(record) + ".part") ? record.size_bytes : 0;  // its room is taken already
  REELWAY_TRY(check_room(record.size_bytes - held));
  auto file = ImportFile::open(path_of(record), {record.size_bytes, record.part_bytes, record.etag});
  if (!file.ok()) return std::move(file).error();
  telemetry::log_info("import {}: {}, {} of {} bytes are held", record.import, source_of(record), (*file)->bytes_held(),
                      record.size_bytes);
  ImportRun run(**source, record, **file, live.patience, live.received);
  const Result<std::string> sha256 = run.run(options.parts_at_once);
  if (!sha256.ok()) return sha256.error();
  return StreamedFilm{record.size_bytes, *sha256};
}

Result<StreamedFilm> Imports::State::fetch_stream(const ImportRecord& record, Running& live) {
  const Result<WebUrl> url = web_transfers.allowed(record.url);
  if (!url.ok()) return url.error();
  WebHead head;
  if (record.size_bytes > 0) head.size_bytes = record.size_bytes;
  head.etag = record.etag;
  telemetry::log_info("import {}: {}, in one go", record.import, record.url_shown);
  const StreamLimits limits{options.object_bytes_max, options.part_bytes,
                            [this](std::uint64_t bytes) { return check_room(bytes); }};
  Result<StreamedFilm> film =
      stream_film(web_transfers, *url, head, path_of(record) + ".part", limits, live.patience, live.received);
  if (!film.ok() || !record.checksum || hex(record.checksum->value) == film->sha256) return film;
  return Error{ErrorCode::object_corrupt, Side::upstream, false,
               record.url_shown + ": its sha256 is not " + hex(record.checksum->value)};
}

// The file gets a second name before its record says that it is there, and loses the first after that.
Result<void> Imports::State::hand_over(const ImportRecord& record, const StreamedFilm& film) {
  const std::string from = path_of(record) + ".part", to = uploads.part_path(record.upload);
  REELWAY_TRY(sync_file(from));
  REELWAY_TRY(remove_all(to));
  if (::link(from.c_str(), to.c_str()) != 0) return system_error("link", from + " to " + to, errno);
  REELWAY_TRY(sync_folder(to.substr(0, to.rfind('/'))));
  UploadRecord upload;
  upload.upload = record.upload;
  upload.filename = file_name(record.url.empty() ? record.key : record.url_shown);
  upload.size_bytes = film.size_bytes;
  upload.title = record.title;
  upload.new_version = record.new_version;
  upload.state = UploadState::complete;
  upload.sha256 = film.sha256;
  upload.created_at_ms = clock.wall_ms();
  ImportRecord finished = record;
  finished.state = ImportState::done;
  finished.size_bytes = film.size_bytes;
  finished.sha256 = film.sha256;
  finished.ended_at_ms = upload.created_at_ms;
  if (const Result<void> replaced = replace(record, finished, upload); !replaced.ok()) {
    // Somebody cancelled it meanwhile. Of any other failure the outcome is unknown, and the file may be needed.
    if (replaced.error().code == ErrorCode::store_conflict) REELWAY_TRY(remove_all(to));
    return replaced.error();
  }
  {
    const std::lock_guard hold(mutex);
    ++done;
  }
  telemetry::log_info("import {}: {} is upload {}, SHA-256 {}", record.import, source_of(record), record.upload,
                      film.sha256);
  return ImportFile::remove(path_of(record));
}

Result<void> Imports::State::end(const ImportRecord& record, const Error& error, bool was_cancelled) {
  ImportRecord ended = record;
  ended.state = was_cancelled ? ImportState::cancelled : ImportState::failed;
  if (!was_cancelled) ended.error = error;
  ended.ended_at_ms = clock.wall_ms();
  REELWAY_TRY(replace(record, ended));
  // Of another content, or of a damaged one, nothing is of use to a second attempt.
  const bool is_useless = error.code == ErrorCode::object_changed || error.code == ErrorCode::object_corrupt ||
                          error.code == ErrorCode::url_changed || !record.ranges;
  if (was_cancelled || is_useless) REELWAY_TRY(ImportFile::remove(path_of(record)));
  if (was_cancelled) return {};
  {
    const std::lock_guard hold(mutex);
    ++failed;
  }
  return error;
}

}  // namespace reelway::origin
