#include "origin/storage/film_storage.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/storage/copier.h"
#include "origin/storage/mend_file.h"
#include "origin/storage/quiet_reader.h"

// Model. Three threads, which share records only: one copies, one scrubs, one collects. The first sleeps until a
// version is published; the second until a round is due or somebody asks for a run; the third looks every ten minutes.
// All three wait for the same patience, so that stop() ends whatever any of them is at.

namespace reelway::origin {
namespace {

constexpr std::chrono::minutes kCollectEvery{10};
constexpr std::chrono::seconds kCopyAgainAfter{30};    // something could not be copied
constexpr std::chrono::minutes kCopyEvery{10};         // looks without any news, for what the watch may have missed
constexpr std::chrono::seconds kAfterStoreFailure{5};  // the control store could not be asked
constexpr std::chrono::hours kScrubSleepMax{1};

}  // namespace

struct FilmStorage::State {
  ControlStore& store;
  Catalog& catalog;
  const Clock& clock;
  const StorageOptions options;
  StorageLedger ledger;
  std::unique_ptr<ObjectStore> bucket;
  Patience patience;
  StorageCounters counters;
  StorageParts parts;

  std::mutex collecting;  // one at a time; guards collector
  Collector collector;

  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;   // guarded by mutex, as all below
  bool has_news = true;    // for the copier
  bool is_wanted = false;  // a run of the scrubber
  ScrubStatus scrubbing;
  std::vector<std::thread> threads;  // of start() and stop()
  std::unique_ptr<Watch> watch;

  State(ControlStore& store_in, Catalog& catalog_in, const Clock& clock_in, Random& random, StorageOptions options_in,
        std::function<void(const std::string& path)> on_replaced)
      : store(store_in),
        catalog(catalog_in),
        clock(clock_in),
        options(std::move(options_in)),
        ledger(store),
        bucket(make_bucket(options, clock, random)),
        parts{store, catalog, clock, random, options, ledger, bucket.get(), patience, counters, std::move(on_replaced)},
        collector(parts, remove_all) {}

  static std::unique_ptr<ObjectStore> make_bucket(const StorageOptions& options, const Clock& clock, Random& random) {
    if (!options.copy) return nullptr;
    ObjectStoreLimits limits;
    limits.put_part_bytes = options.part_bytes;
    return std::make_unique<ObjectStore>(options.copy->store, clock, random, limits);
  }

  bool is_stopping() {
    const std::lock_guard hold(mutex);
    return stopping;
  }

  void tell_news() {
    {
      const std::lock_guard hold(mutex);
      has_news = true;
    }
    changed.notify_all();
  }

  // Only that something has changed matters: what, the copier looks up. A watch that is lost is begun again by its
  // regular look.
  void watch_versions() {
    const Result<StoreStatus> status = store.status();
    if (!status.ok()) return;
    watch =
        store.watch(std::string(kVersionPrefix), status->revision + 1, [this](const WatchMessage&) { tell_news(); });
  }

  void copy() {
    yield_the_disk();
    Copier copier(parts);
    std::chrono::milliseconds pause{0};
    for (;;) {
      {
        std::unique_lock hold(mutex);
        // After a failure the pause is kept whatever comes: others would meet the same.
        const bool must_wait = pause < kCopyEvery;
        changed.wait_for(hold, pause, [&] { return stopping || (has_news && !must_wait); });
        if (stopping) return;
        has_news = false;
      }
      watch_versions();
      const Result<bool> copied = copier.copy_all();
      if (!copied.ok() && copied.error().code == ErrorCode::shutting_down) return;
      if (!copied.ok()) telemetry::log_error("copying to the bucket: {}", describe(copied.error()));
      pause = !copied.ok() ? kAfterStoreFailure : *copied ? kCopyEvery : std::chrono::milliseconds(kCopyAgainAfter);
    }
  }

  void scrub() {
    yield_the_disk();
    Scrubber scrubber(parts, [this] {
      const std::lock_guard hold(mutex);
      return is_wanted;
    });
    std::chrono::milliseconds pause{0};
    for (;;) {
      bool runs = false;
      {
        std::unique_lock hold(mutex);
        changed.wait_for(hold, pause, [&] { return stopping || is_wanted; });
        if (stopping) return;
        runs = std::exchange(is_wanted, false);
      }
      if (runs) {
        run(scrubber);
        pause = {};
        continue;
      }
      const Result<std::int64_t> wait_ms = scrubber.step();
      pause = kAfterStoreFailure;
      if (wait_ms.ok())
        pause = std::min<std::chrono::milliseconds>(std::chrono::milliseconds(*wait_ms), kScrubSleepMax);
      else if (wait_ms.error().code == ErrorCode::shutting_down)
        pause = {};  // for a run, or for good
      else
        telemetry::log_error("scrubbing: {}", describe(wait_ms.error()));
    }
  }

  void run(Scrubber& scrubber) {
    std::string title;
    {
      const std::lock_guard hold(mutex);
      title = scrubbing.title;
    }
    const Result<ScrubTally> tally = scrubber.run(title, [this](const ScrubTally& now) {
      const std::lock_guard hold(mutex);
      scrubbing.tally = now;
    });
    const std::lock_guard hold(mutex);
    scrubbing.is_running = false;
    if (tally.ok())
      scrubbing.tally = *tally;
    else
      scrubbing.error = tally.error();
  }

  void keep_collecting() {
    yield_the_disk();
    for (std::unique_lock hold(mutex); !stopping;) {
      hold.unlock();
      const Result<std::vector<Removal>> collected = collect(false);
      if (!collected.ok() && collected.error().code != ErrorCode::shutting_down) {
        telemetry::log_error("collecting what may be removed: {}", describe(collected.error()));
      }
      hold.lock();
      changed.wait_for(hold, kCollectEvery, [this] { return stopping; });
    }
  }

  Result<std::vector<Removal>> collect(bool is_dry) {
    const std::lock_guard hold(collecting);
    return collector.collect(is_dry);
  }

  Result<void> add_files(const TitleRecord& title, std::vector<VersionFiles>& out) {
    const Result<std::vector<VersionRecord>> versions = catalog.versions(title.title);
    if (!versions.ok()) return versions.error();
    const Result<std::map<FileId, FileRecord>> records = ledger.files(title.title, "");
    if (!records.ok()) return records.error();
    for (const VersionRecord& version : *versions) {
      VersionFiles entry{version, version.version == title.current_version, {}};
      for (StoredFile& file : files_of(catalog, version)) {
        const auto known = records->find(file.id);
        FileStatus status{std::move(file), {}, false};
        if (known != records->end()) status.record = known->second;
        status.is_on_disk = exists(status.file.path);
        const bool is_known = known != records->end() || status.is_on_disk;
        if (is_known || version.state == VersionState::published) entry.files.push_back(std::move(status));
      }
      out.push_back(std::move(entry));
    }
    return {};
  }
};

FilmStorage::FilmStorage(ControlStore& store, Catalog& catalog, const Clock& clock, Random& random,
                         StorageOptions options, std::function<void(const std::string& path)> on_replaced)
    : state_(std::make_unique<State>(store, catalog, clock, random, std::move(options), std::move(on_replaced))) {}
FilmStorage::~FilmStorage() {
  stop();
}

Result<void> FilmStorage::start() {
  State& state = *state_;
  REELWAY_TRY(remove_all(mending_folder(state.options)));
  if (state.bucket) state.threads.emplace_back([&state] { state.copy(); });
  state.threads.emplace_back([&state] { state.scrub(); });
  state.threads.emplace_back([&state] { state.keep_collecting(); });
  return {};
}

void FilmStorage::stop() {
  {
    const std::lock_guard hold(state_->mutex);
    state_->stopping = true;
  }
  state_->patience.give_up();
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
  state_->watch.reset();
}

Result<std::vector<VersionFiles>> FilmStorage::files(const std::string& title) {
  std::vector<VersionFiles> out;
  if (!title.empty()) {
    const Result<TitleRecord> record = state_->catalog.title(title);
    if (!record.ok()) return record.error();
    REELWAY_TRY(state_->add_files(*record, out));
    return out;
  }
  const Result<std::vector<TitleRecord>> titles = state_->catalog.titles();
  if (!titles.ok()) return titles.error();
  for (const TitleRecord& each : *titles) REELWAY_TRY(state_->add_files(each, out));
  return out;
}

Result<void> FilmStorage::scrub(const std::string& title) {
  if (!title.empty()) {
    if (const Result<TitleRecord> known = state_->catalog.title(title); !known.ok()) return known.error();
  }
  {
    const std::lock_guard hold(state_->mutex);
    if (state_->stopping) return stopped();
    if (state_->scrubbing.is_running) {
      const std::string of = state_->scrubbing.title.empty() ? "all titles" : state_->scrubbing.title;
      return Error{ErrorCode::overloaded, Side::self, true, "a scrub of " + of + " is running"};
    }
    state_->scrubbing = {true, title, {}, {}, {}};
    state_->is_wanted = true;
  }
  state_->changed.notify_all();
  return {};
}

Result<ScrubStatus> FilmStorage::scrub_status() {
  Result<std::optional<ScrubRecord>> round = state_->ledger.scrub();
  if (!round.ok()) return std::move(round).error();
  const std::lock_guard hold(state_->mutex);
  ScrubStatus status = state_->scrubbing;
  status.round = std::move(round).value();
  return status;
}

Result<std::vector<Removal>> FilmStorage::collect(bool is_dry) {
  return state_->collect(is_dry);
}

Result<std::optional<FileRecord>> FilmStorage::original(const std::string& title, const std::string& version) {
  const Result<VersionRecord> known = state_->catalog.version(title, version);
  if (!known.ok()) return known.error();
  if (known->state == VersionState::building) {
    return Error{ErrorCode::version_not_ready, Side::client, false, title + " " + version + " is still being made"};
  }
  Result<FileRecord> record = state_->ledger.file({title, version, "original/source"});
  if (!record.ok()) return std::move(record).error();
  const bool is_here =
      record->moved_at_ms == 0 && record->removed_at_ms == 0 && exists(state_->catalog.original_path(title, version));
  if (is_here) return std::optional<FileRecord>();
  if (record->removed_at_ms != 0 || !record->copy) {
    return Error{ErrorCode::original_removed, Side::client, false, "the original of " + title + " " + version};
  }
  return std::optional(std::move(record).value());
}

Result<void> FilmStorage::hold(const std::string& title, const std::string& version, std::int64_t until_ms) {
  if (until_ms - state_->clock.wall_ms() <= state_->options.retention.sessions_max.count()) return {};
  return state_->ledger.hold(title, version, until_ms);
}

const StorageOptions& FilmStorage::options() const {
  return state_->options;
}

const StorageCounters& FilmStorage::counters() const {
  return state_->counters;
}

}  // namespace reelway::origin
