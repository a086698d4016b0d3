#include "origin/jobs/ingest_jobs.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/jobs/ingest_run.h"

// Model. A job's truth is its record: queued -> running -> done or failed. The queue here only says which of them
// this process still has to run; it is filled from the records at start. A job whose record says running when the
// origin starts was interrupted, and begins anew. done and failed are written by the catalogue in the transaction that
// publishes the version or records its failure. Progress between stages is kept in memory only.

namespace reelway::origin {
namespace {

// An interruption is rarely the job's fault, so this is only a bound for a film that brings the origin down each time.
constexpr std::int64_t kAttemptsMax = 30;
constexpr int kConflictsMax = 5;
constexpr std::size_t kPage = 500;

Error refuse(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

// Languages name tracks, so they stand in paths.
bool is_language(const std::string& text) {
  const bool letters = std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return letters && (text.size() == 2 || text.size() == 3);
}

// Errors that say nothing of the film: the job stays as it is and is taken up again at the next start.
bool is_interruption(const Error& error) {
  switch (error.code) {
    case ErrorCode::shutting_down:
    case ErrorCode::store_unavailable:
    case ErrorCode::store_unknown: return true;
    default: return false;
  }
}

}  // namespace

struct IngestJobs::State {
  struct Live {
    JobStage stage = JobStage::probe;
    double progress = 0;
  };

  ControlStore& store;
  Catalog& catalog;
  Uploads& uploads;
  const Clock& clock;
  Random& random;
  const IngestJobsOptions options;
  StopSignal stop_signal;

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> queue;  // guarded by mutex, as all below
  std::map<std::string, Live, std::less<>> live;
  Counters counters;
  bool stopping = false;
  std::vector<std::thread> threads;  // of start() and stop()

  State(ControlStore& store_in, Catalog& catalog_in, Uploads& uploads_in, const Clock& clock_in, Random& random_in,
        IngestJobsOptions options_in)
      : store(store_in),
        catalog(catalog_in),
        uploads(uploads_in),
        clock(clock_in),
        random(random_in),
        options(std::move(options_in)) {}

  std::string work_folder() const { return options.data_dir + "/work"; }

  Result<JobRecord> job(std::string_view id) {
    const std::string key = job_key(id);
    const Result<std::optional<KeyValue>> entry = store.get(key);
    if (!entry.ok()) return entry.error();
    if (!entry->has_value()) return refuse(ErrorCode::job_not_found, std::string(id));
    return parse_job(key, (*entry)->value);
  }

  Result<void> save(const JobRecord& record) {
    Txn txn;
    txn.then_operations = {Operation::put(job_key(record.job), to_json(record))};
    const Result<TxnReply> reply = store.txn(txn);
    if (!reply.ok()) return reply.error();
    return {};
  }

  Result<std::vector<JobRecord>> unfinished() {
    std::vector<JobRecord> jobs;
    std::string after;
    for (bool more = true; more;) {
      const Result<Page> page = store.range(kJobPrefix, kPage, after);
      if (!page.ok()) return page.error();
      for (const KeyValue& entry : page->entries) {
        Result<JobRecord> record = parse_job(entry.key, entry.value);
        if (!record.ok()) return std::move(record).error();
        after = entry.key;
        if (record->state == JobState::queued || record->state == JobState::running) jobs.push_back(*record);
      }
      more = page->more;
    }
    std::stable_sort(jobs.begin(), jobs.end(),
                     [](const JobRecord& a, const JobRecord& b) { return a.created_at_ms < b.created_at_ms; });
    return jobs;
  }

  // Folders in titles/ that no published record owns: a crash came between their rename and their transaction.
  Result<void> remove_unpublished() {
    const std::string titles = options.data_dir + "/titles";
    REELWAY_TRY(make_folders(titles));
    std::error_code failure;
    for (const auto& title : std::filesystem::directory_iterator(titles, failure)) {
      for (const auto& folder : std::filesystem::directory_iterator(title.path(), failure)) {
        const std::string name = title.path().filename().string(), version = folder.path().filename().string();
        const Result<VersionRecord> record = catalog.version(name, version);
        const bool is_unknown = !record.ok() && (record.error().code == ErrorCode::title_not_found ||
                                                 record.error().code == ErrorCode::version_not_found);
        if (!record.ok() && !is_unknown) return record.error();
        if (record.ok() && record->state == VersionState::published) continue;
        telemetry::log_warn("removing the unpublished version folder {}", folder.path().string());
        REELWAY_TRY(remove_all(folder.path().string()));
      }
    }
    if (failure) return system_error("list", titles, failure.value());
    return {};
  }

  void work() {
    for (;;) {
      std::string id;
      {
        std::unique_lock hold(mutex);
        changed.wait(hold, [&] { return stopping || !queue.empty(); });
        if (stopping) return;
        id = std::move(queue.front());
        queue.pop_front();
        live.emplace(id, Live{});
      }
      const Result<void> ended = run(id);
      const std::lock_guard hold(mutex);
      live.erase(id);
      if (ended.ok())
        ++counters.done;
      else if (!is_interruption(ended.error()))
        ++counters.failed;
    }
  }

  Result<void> run(const std::string& id) {
    Result<JobRecord> record = job(id);
    if (!record.ok()) return report(id, std::move(record).error());
    if (record->attempts >= kAttemptsMax) {
      return fail(*record, Error{ErrorCode::transcode_failed, Side::self, false,
                                 "the job was interrupted " + std::to_string(kAttemptsMax) + " times"});
    }
    ++record->attempts;
    record->state = JobState::running;
    if (const Result<void> saved = save(*record); !saved.ok()) return report(id, saved.error());
    telemetry::log_info("job {}: ingesting {} {}, attempt {}", id, record->title, record->version, record->attempts);
    const IngestRun::Parts parts{
        catalog,     uploads,       options.transcode,
        stop_signal, work_folder(), [&](JobStage stage, double part) { progress(*record, stage, part); }};
    Result<VersionRecord> version = IngestRun(parts, *record).run();
    if (!version.ok()) return fail(*record, std::move(version).error());
    const Result<void> published = repeat([&] { return catalog.publish(*version, *record); });
    if (!published.ok()) return report(id, published.error());
    telemetry::log_info("job {}: published {} {}, {} ms of film", id, record->title, record->version,
                        version->duration_ms);
    return {};
  }

  // A change of the title by somebody else in between is no reason to give up.
  template <class Action>
  static Result<void> repeat(Action action) {
    Result<void> done = action();
    for (int i = 0; i < kConflictsMax && !done.ok(); ++i) {
      const ErrorCode code = done.error().code;
      if (code != ErrorCode::store_conflict && code != ErrorCode::store_unknown) break;
      done = action();
    }
    return done;
  }

  Error fail(const JobRecord& record, Error error) {
    if (error.code == ErrorCode::shutting_down) {
      // An orderly stop is no attempt.
      JobRecord stopped = record;
      --stopped.attempts;
      if (const Result<void> saved = save(stopped); !saved.ok()) return report(record.job, saved.error());
    }
    if (is_interruption(error)) return report(record.job, std::move(error));
    const Result<void> failed = repeat([&] { return catalog.fail(record, error); });
    if (!failed.ok()) return report(record.job, failed.error());
    telemetry::log_warn("job {}: {} {} failed: {}", record.job, record.title, record.version, describe(error));
    return error;
  }

  static Error report(const std::string& id, Error error) {
    telemetry::log_warn("job {} is left for the next start: {}", id, describe(error));
    return error;
  }

  void progress(JobRecord& record, JobStage stage, double part) {
    {
      const std::lock_guard hold(mutex);
      live[record.job] = {stage, part};
    }
    if (stage == record.stage) return;
    record.stage = stage;
    record.progress = part;
    // Only for people to read: the next stage writes it again.
    if (const Result<void> saved = save(record); !saved.ok()) {
      telemetry::log_warn("job {}: its stage could not be recorded: {}", record.job, describe(saved.error()));
    }
  }
};

IngestJobs::IngestJobs(ControlStore& store, Catalog& catalog, Uploads& uploads, const Clock& clock, Random& random,
                       IngestJobsOptions options)
    : state_(std::make_unique<State>(store, catalog, uploads, clock, random, std::move(options))) {}
IngestJobs::~IngestJobs() {
  stop();
}

Result<void> IngestJobs::start() {
  REELWAY_TRY(remove_all(state_->work_folder()));
  REELWAY_TRY(make_folders(state_->work_folder()));
  REELWAY_TRY(state_->remove_unpublished());
  const Result<std::vector<JobRecord>> jobs = state_->unfinished();
  if (!jobs.ok()) return jobs.error();
  const std::lock_guard hold(state_->mutex);
  for (const JobRecord& job : *jobs) state_->queue.push_back(job.job);
  for (std::size_t i = 0; i < state_->options.jobs; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->work(); });
  }
  return {};
}

void IngestJobs::stop() {
  {
    const std::lock_guard hold(state_->mutex);
    if (state_->stopping) return;
    state_->stopping = true;
  }
  state_->stop_signal.stop();
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

Result<JobRecord> IngestJobs::enqueue(const IngestRequest& request) {
  if (!is_language(request.language)) {
    return refuse(ErrorCode::http_bad_request, "language '" + request.language + "' is not two or three letters a-z");
  }
  {
    const std::lock_guard hold(state_->mutex);
    if (state_->stopping) return Error{ErrorCode::shutting_down, Side::self, true, "no new jobs"};
    if (state_->queue.size() >= state_->options.queue_max) {
      return Error{ErrorCode::overloaded, Side::self, true, std::to_string(state_->queue.size()) + " jobs wait"};
    }
  }
  REELWAY_TRY(state_->catalog.check_new(request.title, request.new_version));
  const Result<UploadRecord> upload = state_->uploads.get(request.upload);
  if (!upload.ok()) return upload.error();
  if (upload->state == UploadState::waiting) {
    return refuse(ErrorCode::upload_incomplete, "upload " + request.upload + " has no complete file yet");
  }
  if (upload->state == UploadState::taken) {
    return refuse(ErrorCode::upload_not_found, "another title has taken upload " + request.upload);
  }
  Catalog::NewVersion version{
      request.title,       request.name, request.language,       state_->options.units_per_segment,
      request.new_version, *upload,      state_->random.hex_id()};
  Result<JobRecord> job = state_->catalog.create(version);
  // Of two that came at once one has won: deciding again says what the other one meets.
  if (!job.ok() && job.error().code == ErrorCode::store_conflict) job = state_->catalog.create(version);
  if (!job.ok() && job.error().code == ErrorCode::store_unknown) job = state_->job(version.job);
  if (!job.ok()) return job;
  {
    const std::lock_guard hold(state_->mutex);
    state_->queue.push_back(job->job);
  }
  state_->changed.notify_one();
  return job;
}

Result<JobRecord> IngestJobs::status(std::string_view job) {
  Result<JobRecord> record = state_->job(job);
  if (!record.ok() || record->state != JobState::running) return record;
  const std::lock_guard hold(state_->mutex);
  if (const auto place = state_->live.find(job); place != state_->live.end()) {
    record->stage = place->second.stage;
    record->progress = place->second.progress;
  }
  return record;
}

IngestJobs::Counters IngestJobs::counters() const {
  const std::lock_guard hold(state_->mutex);
  Counters counters = state_->counters;
  counters.queued = state_->queue.size();
  counters.running = state_->live.size();
  return counters;
}

}  // namespace reelway::origin
