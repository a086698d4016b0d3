#include "origin/jobs/ingest_jobs.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/jobs/ingest_run.h"
#include "origin/jobs/job_records.h"
#include "origin/jobs/leftovers.h"
#include "origin/jobs/local_tasks.h"
#include "origin/jobs/room_queue.h"
#include "origin/jobs/stage_pace.h"
#include "origin/jobs/worker.h"
#include "origin/quality/quality_store.h"

// Model. A job's truth is its record: queued -> running -> done or failed; and, once the film has been probed, its plan
// and the records of its parts (task.h). So a job needs the origin itself at two moments only, and these are the steps
// in the queue here: prepare, up to the plan, and finish, from the last part on. In between the board has it. What a
// start finds unfinished goes on where its records say. done and failed are written by the catalogue in the transaction
// that publishes the version or records its failure. A job whose film has findings that block is held: it prepares
// again when somebody has waived them. A step that meets a full disk is held too, and tried again when there is room;
// parts are not handed out meanwhile. Progress between stages is kept in memory only.

namespace reelway::origin {
namespace {

// An interruption is rarely the job's fault, so this is only a bound for a film that brings the origin down each time.
constexpr std::int64_t kAttemptsMax = 30;
constexpr int kConflictsMax = 5;
constexpr std::int64_t kPriorityMax = 100;
// Steps at once: they read and copy files, and one may wait for a slow disk.
constexpr std::size_t kStepThreads = 2;
constexpr std::chrono::seconds kReapEvery{1};

Error refuse(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

// Languages name tracks, so they stand in paths.
bool is_language(const std::string& text) {
  const bool letters = std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return letters && (text.size() == 2 || text.size() == 3);
}

// An upload that is whole and that no title has taken.
Result<UploadRecord> free_upload(Uploads& uploads, const std::string& id) {
  Result<UploadRecord> upload = uploads.get(id);
  if (!upload.ok()) return upload;
  if (upload->state == UploadState::waiting) {
    return refuse(ErrorCode::upload_incomplete, "upload " + id + " has no complete file yet");
  }
  if (upload->state == UploadState::taken) {
    return refuse(ErrorCode::upload_not_found, "another title has taken upload " + id);
  }
  return upload;
}

void sum_up(JobRecord& record, const std::vector<TaskRecord>& parts) {
  record.cost = {};
  record.parts = static_cast<std::int64_t>(parts.size());
  record.claims = record.failures = 0;
  for (const TaskRecord& part : parts) {
    record.cost.cpu_s += part.cost.cpu_s;
    record.cost.wall_s += part.cost.wall_s;
    record.cost.bytes += part.cost.bytes;
    record.claims += part.claims;
    record.failures += part.failures;
  }
}

using Step = JobStep;

}  // namespace

struct IngestJobs::State {
  ControlStore& store;
  Catalog& catalog;
  Uploads& uploads;
  const Clock& clock;
  Random& random;
  const IngestJobsOptions options;
  const WorkFolders folders;
  const DiskRoom room;
  StopSignal stop_signal;
  JobBoard board;
  LocalTasks local_tasks;
  Worker worker;

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<Step> queue;  // guarded by mutex, as all below
  mutable std::map<std::string, StagePace, std::less<>> live;
  std::set<std::string, std::less<>> busy;       // jobs of which a step runs
  std::set<std::string, std::less<>> cancelled;  // until they have ended
  std::size_t unprepared = 0;                    // of the queue
  RoomQueue without_room;
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
        options(std::move(options_in)),
        folders(options.data_dir),
        room(options.data_dir, options.free_bytes_min, options.free_bytes),
        board(store, clock_in, random, room, options.board,
              [this](const std::string& job, const std::optional<Error>& error) { settled(job, error); }),
        local_tasks(board, catalog, folders, room, options.board.local_worker),
        worker(local_tasks, {options.slots, options.transcode}) {}

  void push(Step step) {
    {
      const std::lock_guard hold(mutex);
      unprepared += step.kind == Step::Kind::prepare;
      queue.push_back(std::move(step));
    }
    changed.notify_all();
  }

  void settled(const std::string& job, const std::optional<Error>& error) {
    push({error ? Step::Kind::fail : Step::Kind::finish, job, error.value_or(Error{})});
  }

  // The first step of a job that has none running. Called with the mutex held.
  std::optional<Step> next_step() {
    const auto place =
        std::find_if(queue.begin(), queue.end(), [&](const Step& step) { return !busy.contains(step.job); });
    if (place == queue.end()) return std::nullopt;
    Step step = std::move(*place);
    queue.erase(place);
    unprepared -= step.kind == Step::Kind::prepare;
    busy.insert(step.job);
    return step;
  }

  void serve() {
    std::unique_lock hold(mutex);
    for (;;) {
      std::optional<Step> step;
      changed.wait(hold, [&] { return stopping || (step = next_step()).has_value(); });
      if (!step) return;
      hold.unlock();
      if (const Result<void> taken = take(*step); !taken.ok()) {
        telemetry::log_warn("job {} is left for the next start: {}", step->job, describe(taken.error()));
      }
      hold.lock();
      busy.erase(step->job);
      changed.notify_all();
    }
  }

  void reap() {
    std::unique_lock hold(mutex);
    while (!changed.wait_for(hold, kReapEvery, [&] { return stopping; })) {
      hold.unlock();
      board.reap();
      const JobBoard::Counters parts = board.counters();
      hold.lock();
      counters.parts = parts;
      const std::vector<Step> steps = without_room.take(room.free_bytes(), clock.monotonic());
      hold.unlock();
      for (const Step& step : steps) push(step);
      hold.lock();
    }
  }

  // An error leaves the job to the next start; all others end in its record.
  Result<void> take(const Step& step) {
    Result<void> taken = attempt(step);
    if (taken.ok() || taken.error().code != ErrorCode::disk_full) return taken;
    // The control store has no room either, so its record stays as it is: running.
    await_room(step, taken.error());
    return {};
  }

  Result<void> attempt(const Step& step) {
    Result<JobRecord> record = read_job(store, step.job);
    if (!record.ok()) return std::move(record).error();
    if (!is_unfinished(*record)) return {};
    const Result<void> done = step.kind == Step::Kind::fail      ? Result<void>(step.error)
                              : step.kind == Step::Kind::prepare ? prepare(*record)
                                                                 : finish(*record);
    if (done.ok()) return {};
    if (done.error().code == ErrorCode::shutting_down) --record->attempts;  // an orderly stop is no attempt
    if (done.error().code == ErrorCode::shutting_down) REELWAY_TRY(write_job(store, *record));
    if (is_interruption(done.error())) return done.error();
    if (done.error().code == ErrorCode::quality_blocked) return hold_back(*record, done.error());
    if (done.error().code == ErrorCode::disk_full) return hold_until_room(*record, step, done.error());
    return fail(*record, done.error());
  }

  Result<void> begin(JobRecord& record) {
    if (is_cancelled(record.job)) return refuse(ErrorCode::job_cancelled, record.job);
    if (record.attempts >= kAttemptsMax) {
      return Error{ErrorCode::transcode_failed, Side::self, false,
                   "the job was interrupted " + std::to_string(kAttemptsMax) + " times"};
    }
    ++record.attempts;
    record.state = JobState::running;
    record.error.reset();
    return write_job(store, record);
  }

  Result<void> prepare(JobRecord& record) {
    REELWAY_TRY(begin(record));
    telemetry::log_info("job {}: ingesting {} {}, attempt {}", record.job, record.title, record.version,
                        record.attempts);
    const Result<EncodePlan> plan = IngestRun(run_parts(record), record).prepare();
    if (!plan.ok()) return plan.error();
    if (is_cancelled(record.job)) return refuse(ErrorCode::job_cancelled, record.job);
    // Parts, and the tracks that they are joined to, lie beside each other for a moment.
    REELWAY_TRY(room.check(2 * expected_bytes(*plan)));
    REELWAY_TRY(write_plan(store, record.job, *plan));
    return offer(record, *plan);
  }

  // Hands the job to the board.
  Result<void> offer(JobRecord& record, const EncodePlan& plan) {
    const Result<VersionRecord> version = catalog.version(record.title, record.version);
    if (!version.ok()) return version.error();
    progress(record, JobStage::transcode, encoding_progress(0));
    std::vector<SourceFile> sources{{record.title, record.version, version->source_bytes, version->sha256}};
    for (const DeliveredFile& file : version->files) {
      sources.push_back({record.title, record.version, file.bytes, file.sha256, file.name});
    }
    REELWAY_TRY(board.open(record, std::move(sources), plan));
    begin_transcoding(record.job);
    local_tasks.poke();
    return {};
  }

  Result<void> finish(JobRecord& record) {
    REELWAY_TRY(begin(record));
    const Result<std::optional<EncodePlan>> plan = read_plan(store, record.job);
    if (!plan.ok()) return plan.error();
    CHECK(plan->has_value());
    const std::vector<TaskRecord> parts = board.records(record.job);
    sum_up(record, parts);
    REELWAY_TRY(room.check(record.cost.bytes));
    Result<VersionRecord> version = IngestRun(run_parts(record), record).finish(**plan, parts);
    if (!version.ok()) return std::move(version).error();
    record.cost.cpu_s += version->cost.cpu_s;
    record.cost.wall_s += version->cost.wall_s;
    record.cost.bytes += version->cost.bytes;
    version->cost = record.cost;
    const Result<VersionState> outcome = outcome_of(record);
    if (!outcome.ok()) return outcome.error();
    REELWAY_TRY(repeat([&] { return catalog.publish(*version, record, *outcome); }));
    telemetry::log_info("job {}: {} {} is {}, {} ms of film, {:.1f} s of CPU", record.job, record.title, record.version,
                        name_of(*outcome), version->duration_ms, record.cost.cpu_s);
    ended(record.job, &Counters::done);
    return {};
  }

  // The job is done either way: what is ready needs nothing more of it, only one transaction of whoever approves it, so
  // there is nothing that a crash could leave half done.
  Result<VersionState> outcome_of(const JobRecord& record) {
    if (options.approval == Approval::rule) return VersionState::published;
    if (options.approval == Approval::person) return VersionState::ready;
    const Result<QualityReport> report = load_report(store, record.title, record.version);
    if (!report.ok()) return report.error();
    return verdict(*report).warnings == 0 ? VersionState::published : VersionState::ready;
  }

  // A waiver that came since the look at the report found no held job yet: so this one looks again.
  Result<void> hold_back(JobRecord& record, const Error& error) {
    record.state = JobState::held;
    record.error = error;
    --record.attempts;
    REELWAY_TRY(write_job(store, record));
    telemetry::log_warn("job {}: {} {} is held: {}", record.job, record.title, record.version, describe(error));
    {
      const std::lock_guard hold(mutex);
      live.erase(record.job);
    }
    if (check_publishable(store, record.title, record.version).ok()) push({Step::Kind::prepare, record.job, {}});
    return {};
  }

  // Nothing is wrong with the film: what was done so far stays, and the step is taken again when there is room.
  Result<void> hold_until_room(JobRecord& record, const Step& step, const Error& error) {
    await_room(step, error);
    record.state = JobState::held;
    record.error = error;
    --record.attempts;
    // Where the control store has no room for it either, the record stays as it is: the next start takes it up.
    if (const Result<void> saved = write_job(store, record); !saved.ok()) {
      telemetry::log_warn("job {}: {}", record.job, describe(saved.error()));
    }
    return {};
  }

  void await_room(const Step& step, const Error& error) {
    telemetry::log_warn("job {}: waits for room on the disk: {}", step.job, describe(error));
    const std::lock_guard hold(mutex);
    live.erase(step.job);
    without_room.add(step, error, room.free_bytes(), clock.monotonic());
  }

  Result<void> fail(const JobRecord& record, const Error& error) {
    REELWAY_TRY(repeat([&] { return catalog.fail(record, error); }));
    telemetry::log_warn("job {}: {} {} failed: {}", record.job, record.title, record.version, describe(error));
    ended(record.job, &Counters::failed);
    return {};
  }

  // The job's work goes. What cannot be removed now the next start removes.
  void ended(const std::string& job, std::uint64_t Counters::*counter) {
    board.close(job);
    Result<void> removed = erase_parts(store, job);
    if (removed.ok()) removed = remove_all(folders.job(job));
    if (!removed.ok()) telemetry::log_warn("job {}: its work is still there: {}", job, describe(removed.error()));
    const std::lock_guard hold(mutex);
    live.erase(job);
    cancelled.erase(job);
    without_room.remove(job);
    ++(counters.*counter);
  }

  IngestRun::Parts run_parts(JobRecord& record) {
    return {store,
            clock,
            catalog,
            uploads,
            options.transcode,
            options.quality,
            options.sound,
            options.picture,
            stop_signal,
            folders,
            options.slots,
            pictures_folder(options.data_dir, record.title, record.version),
            [this, &record](JobStage stage, double part) { progress(record, stage, part); }};
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

  void progress(JobRecord& record, JobStage stage, double part) {
    {
      const std::lock_guard hold(mutex);
      live[record.job].update(stage, part, clock.monotonic());
    }
    if (stage == record.stage) return;
    record.stage = stage;
    record.progress = part;
    // Only for people to read: the next stage writes it again.
    if (const Result<void> saved = write_job(store, record); !saved.ok()) {
      telemetry::log_warn("job {}: its stage could not be recorded: {}", record.job, describe(saved.error()));
    }
  }

  void add_progress(JobRecord& record) const {
    std::optional<Error> reason = board.lack(record.job);
    {
      const std::lock_guard hold(mutex);
      if (!reason) reason = without_room.reason(record.job);
    }
    if (reason && is_unfinished(record)) {
      record.state = JobState::held;
      record.error = std::move(reason);
    }
    if (record.state != JobState::running && !reason) return;
    const double encoded = encoding_progress(board.progress(record.job));
    {
      const std::lock_guard hold(mutex);
      const auto place = live.find(record.job);
      if (place == live.end()) return;
      StagePace& pace = place->second;
      const Clock::Monotonic now = clock.monotonic();
      if (pace.stage() == JobStage::transcode) pace.update(JobStage::transcode, encoded, now);
      record.stage = pace.stage();
      record.progress = pace.progress();
      record.stage_progress = pace.stage_progress();
      if (const auto left = pace.left(now)) record.left_ms = left->count();
    }
    sum_up(record, board.records(record.job));
  }

  // What is made already, as after a restart, was not made at this pace.
  void begin_transcoding(const std::string& job) {
    const double encoded = encoding_progress(board.progress(job));
    const std::lock_guard hold(mutex);
    StagePace& pace = live[job];
    pace = {};
    pace.update(JobStage::transcode, encoded, clock.monotonic());
  }

  bool is_cancelled(std::string_view job) const {
    const std::lock_guard hold(mutex);
    return cancelled.contains(job);
  }

  // Takes up what the last process has left unfinished.
  Result<void> resume() {
    const Result<std::vector<JobRecord>> jobs = read_jobs(store);
    if (!jobs.ok()) return jobs.error();
    for (JobRecord record : *jobs) {
      if (!is_unfinished(record)) continue;
      const bool waits_for_room = record.error && record.error->code == ErrorCode::disk_full;
      const bool is_held = record.state == JobState::held && !waits_for_room;
      if (is_held && !check_publishable(store, record.title, record.version).ok()) continue;
      const Result<std::optional<EncodePlan>> plan = read_plan(store, record.job);
      if (!plan.ok()) return plan.error();
      if (!plan->has_value())
        push({Step::Kind::prepare, record.job, {}});
      else
        REELWAY_TRY(offer(record, **plan));
    }
    return {};
  }
};

IngestJobs::IngestJobs(ControlStore& store, Catalog& catalog, Uploads& uploads, const Clock& clock, Random& random,
                       IngestJobsOptions options)
    : state_(std::make_unique<State>(store, catalog, uploads, clock, random, std::move(options))) {}
IngestJobs::~IngestJobs() {
  stop();
}

Result<void> IngestJobs::start() {
  State& state = *state_;
  REELWAY_TRY(remove_leftovers(state.store, state.catalog, state.options.data_dir, state.folders));
  REELWAY_TRY(state.resume());
  for (std::size_t i = 0; i < kStepThreads; ++i) state.threads.emplace_back([&state] { state.serve(); });
  state.threads.emplace_back([&state] { state.reap(); });
  state.worker.start();
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
  state_->local_tasks.poke();
  state_->worker.stop();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

Result<JobRecord> IngestJobs::enqueue(const IngestRequest& request) {
  if (!is_language(request.language)) {
    return refuse(ErrorCode::http_bad_request, "language '" + request.language + "' is not two or three letters a-z");
  }
  if (request.priority < -kPriorityMax || request.priority > kPriorityMax) {
    return refuse(ErrorCode::http_bad_request, "priority " + std::to_string(request.priority) + " is not in -100..100");
  }
  {
    const std::lock_guard hold(state_->mutex);
    if (state_->stopping) return Error{ErrorCode::shutting_down, Side::self, true, "no new jobs"};
    if (state_->unprepared >= state_->options.queue_max) {
      return Error{ErrorCode::overloaded, Side::self, true, std::to_string(state_->unprepared) + " jobs wait"};
    }
  }
  REELWAY_TRY(state_->catalog.check_new(request.title, request.new_version));
  const Result<UploadRecord> upload = free_upload(state_->uploads, request.upload);
  if (!upload.ok()) return upload.error();
  Catalog::NewVersion version{request.title,
                              request.name,
                              request.language,
                              state_->options.units_per_segment,
                              request.new_version,
                              *upload,
                              state_->random.hex_id(),
                              request.priority,
                              {}};
  for (const DeliveredFile& file : request.files) {
    Result<UploadRecord> taken = free_upload(state_->uploads, file.upload);
    if (!taken.ok()) return std::move(taken).error();
    version.files.emplace_back(file, std::move(taken).value());
  }
  Result<JobRecord> job = state_->catalog.create(version);
  // Of two that came at once one has won: deciding again says what the other one meets.
  if (!job.ok() && job.error().code == ErrorCode::store_conflict) job = state_->catalog.create(version);
  if (!job.ok() && job.error().code == ErrorCode::store_unknown) job = read_job(state_->store, version.job);
  if (!job.ok()) return job;
  state_->push({Step::Kind::prepare, job->job, {}});
  return job;
}

Result<JobRecord> IngestJobs::status(std::string_view job) {
  Result<JobRecord> record = read_job(state_->store, job);
  if (record.ok()) state_->add_progress(*record);
  return record;
}

Result<std::vector<JobRecord>> IngestJobs::list() {
  Result<std::vector<JobRecord>> jobs = read_jobs(state_->store);
  if (!jobs.ok()) return jobs;
  for (JobRecord& job : *jobs) state_->add_progress(job);
  return jobs;
}

Result<JobRecord> IngestJobs::cancel(std::string_view job) {
  const Result<JobRecord> record = read_job(state_->store, job);
  if (!record.ok()) return record;
  if (!is_unfinished(*record)) {
    return refuse(ErrorCode::store_conflict, "job " + record->job + " is " + std::string(name_of(record->state)));
  }
  {
    const std::lock_guard hold(state_->mutex);
    state_->cancelled.insert(record->job);
  }
  // Workers hear of it with their next renewal. A step that runs now ends first.
  state_->board.close(job);
  state_->push({Step::Kind::fail, record->job, refuse(ErrorCode::job_cancelled, "job " + record->job)});
  return record;
}

Result<void> IngestJobs::reconsider(std::string_view title, std::string_view version) {
  const Result<std::vector<JobRecord>> jobs = read_jobs(state_->store);
  if (!jobs.ok()) return jobs.error();
  for (const JobRecord& job : *jobs) {
    const bool is_blocked = job.state == JobState::held && job.error && job.error->code == ErrorCode::quality_blocked;
    const bool is_meant = is_blocked && job.title == title && job.version == version;
    if (is_meant && check_publishable(state_->store, title, version).ok()) {
      state_->push({Step::Kind::prepare, job.job, {}});
    }
  }
  return {};
}

JobBoard& IngestJobs::board() {
  return state_->board;
}

const WorkFolders& IngestJobs::folders() const {
  return state_->folders;
}

const DiskRoom& IngestJobs::room() const {
  return state_->room;
}

IngestJobs::Counters IngestJobs::counters() const {
  const std::lock_guard hold(state_->mutex);
  Counters counters = state_->counters;
  counters.queued = state_->unprepared;
  counters.running = state_->live.size();
  counters.without_room = state_->without_room.size();
  return counters;
}

}  // namespace reelway::origin
