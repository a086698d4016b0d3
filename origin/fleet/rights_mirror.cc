#include "origin/fleet/rights_mirror.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <vector>

#include "common/rights/title_mark.h"
#include "common/telemetry/log.h"
#include "origin/fleet/beat.h"
#include "origin/fleet/title_mark.h"

// The model. One thread loads the records page by page, starts a watch and sleeps until the watch ends; the store's own
// thread delivers the watch's batches. All of it meets in Shared under one mutex, which the loop takes too: it is never
// held while the store is asked for anything, a record is decoded, a line is logged or a table is freed.
//
// Pages of one load are of different revisions, and the watch begins long before the first of them, so that edges can
// go on where they were when the origin restarts. Both is harmless, since a change that is not newer than the record
// held changes nothing: when the watch has passed the last page's revision, the table is what the store was at the
// watch's position. The first beat beyond it proves that; beats before it are not sent on, for their roots are unknown.
//
// A log with a revision that cannot be read ends every watch that has to pass it. After kStallsMax such ends the
// records are read anew and the watch begins behind the log: edges then find their positions gone and take a snapshot.

namespace reelway::origin {
namespace {

enum class Ended : std::uint8_t { no, lost, compacted };
enum class Load : std::uint8_t { none, with_log, without_log };

constexpr int kStallsMax = 3;

// By which edges know what stands under the key; nothing for what they are not told.
std::optional<rights::EntitlementId> id_of(std::string_view key) {
  if (key.starts_with(kTitleMarkPrefix)) return rights::title_mark_id(key.substr(kTitleMarkPrefix.size()));
  if (!key.starts_with(kEntitlementPrefix)) return std::nullopt;
  return rights::parse_entitlement_id(key.substr(kEntitlementPrefix.size()));
}

}  // namespace

struct RightsMirror::Shared : std::enable_shared_from_this<RightsMirror::Shared> {
  // What a batch says of the rights.
  struct Update {
    rights::EventsFrame frame;
    std::optional<Beat> beat;
    std::uint64_t corrupt = 0;
  };
  struct BeatRoot {
    Revision revision = 0;
    rights::Sum128 root;
  };

  Shared(ControlStore& store_in, EventLoop& loop_in, Decode decode_in, const MirrorOptions& options_in)
      : store(store_in),
        loop(loop_in),
        decode(std::move(decode_in)),
        options(options_in),
        backlog(options_in.backlog) {}

  ControlStore& store;
  EventLoop& loop;
  const Decode decode;
  const MirrorOptions options;

  mutable std::mutex mutex;
  std::condition_variable wake;
  // Guarded by mutex:
  RightsTable table;
  ChangeBacklog backlog;
  std::deque<BeatRoot> roots;  // of the last beats, revisions rising
  std::string cluster;
  Revision loaded = 0;   // no page of the load is of a later revision
  Revision watched = 0;  // of the last batch
  bool ready = false;
  bool stopping = false;
  bool notifying = false;  // a task on the loop is due
  Ended ended = Ended::no;
  MirrorCounters counters;

  // The mirror's thread:
  Revision stalled_at = -1;  // where the last watch was lost
  int stalls = 0;            // watches lost there, one after the other

  // Loop thread:
  std::map<Subscription, std::function<void()>> subscribers;
  Subscription last_subscription = 0;

  void run();
  Result<void> load(Load how);
  Result<Revision> read_pages(std::string_view prefix, RightsTable& fresh, std::uint64_t& corrupt) const;
  Result<rights::Record> record_of(const KeyValue& entry) const;
  Load follow();
  bool is_stalled(Revision at);
  void deliver(const WatchMessage& message);
  void apply(const WatchBatch& batch);
  Update read(const WatchBatch& batch) const;
  void apply_beat_locked(const Beat& beat, Revision revision);
  void notify_locked();
  void notify_subscribers();
  bool pause();
  bool stop_asked() const;
};

bool RightsMirror::Shared::stop_asked() const {
  const std::lock_guard lock(mutex);
  return stopping;
}

// True when it is time to stop.
bool RightsMirror::Shared::pause() {
  std::unique_lock lock(mutex);
  return wake.wait_for(lock, options.retry_after, [this] { return stopping; });
}

void RightsMirror::Shared::run() {
  bool failing = false;
  Load due = Load::with_log;
  while (true) {
    if (due != Load::none) {
      const auto loaded_now = load(due);
      if (!loaded_now) {
        if (!stop_asked() && !std::exchange(failing, true))
          telemetry::log_error("rights: {}", describe(loaded_now.error()));
        const std::lock_guard lock(mutex);
        ++counters.store_failures;
      }
      if (!loaded_now && pause()) return;
      if (!loaded_now) continue;
      failing = false;
    }
    due = follow();
    if (stop_asked()) return;
  }
}

Result<void> RightsMirror::Shared::load(Load how) {
  const auto status = store.status();
  if (!status) return status.error();
  RightsTable fresh;
  std::uint64_t corrupt = 0;
  const auto marks = read_pages(kTitleMarkPrefix, fresh, corrupt);
  if (!marks) return marks.error();
  const auto read = read_pages(kEntitlementPrefix, fresh, corrupt);
  if (!read) return read.error();
  const Revision from = how == Load::without_log
                            ? status->revision + 1
                            : std::max<Revision>({1, status->floor, status->revision - options.replay_max});
  const Revision as_of = std::max(status->revision, *read);
  fresh.finish();
  const std::size_t records = fresh.size();
  ChangeBacklog fresh_backlog(options.backlog);
  fresh_backlog.reset(from - 1);
  stalls = 0;
  stalled_at = -1;
  {
    const std::lock_guard lock(mutex);
    std::swap(table, fresh);
    std::swap(backlog, fresh_backlog);
    cluster = status->cluster_id;
    loaded = as_of;
    watched = from - 1;
    roots.clear();
    ready = false;
    ++counters.loads;
    counters.corrupt_records += corrupt;
    notify_locked();  // readers whose position is gone must learn it
  }
  telemetry::log_info("rights: {} records read as of revision {}", records, as_of);
  return {};
}

// A mark that cannot be read withdraws its title, as an entitlement that cannot be read permits nothing.
Result<rights::Record> RightsMirror::Shared::record_of(const KeyValue& entry) const {
  if (!entry.key.starts_with(kTitleMarkPrefix)) return decode(entry);
  const auto withdrawn = parse_title_mark(entry.key, entry.value);
  if (!withdrawn) telemetry::log_error("rights: taken for withdrawn: {}", describe(withdrawn.error()));
  return rights::title_mark(!withdrawn || *withdrawn);
}

// The last page's revision, which is the highest.
Result<Revision> RightsMirror::Shared::read_pages(std::string_view prefix, RightsTable& fresh,
                                                  std::uint64_t& corrupt) const {
  std::string after;
  while (true) {
    const auto page = store.range(prefix, options.page_entries, after);
    if (!page) return page.error();
    for (const KeyValue& entry : page->entries) {
      const auto id = id_of(entry.key);
      const auto record = record_of(entry);
      if (id && record) {
        fresh.append({*id, entry.mod_revision, *record});
        continue;
      }
      ++corrupt;
      telemetry::log_error("rights: left out: {}", record ? entry.key : describe(record.error()));
    }
    if (!page->more || page->entries.empty()) return page->revision;
    after = page->entries.back().key;
    if (stop_asked()) return Error{ErrorCode::shutting_down, Side::self, true, ""};
  }
}

// Until the watch has ended or stop(). What to load before the next watch.
Load RightsMirror::Shared::follow() {
  Revision from = 0;
  {
    const std::lock_guard lock(mutex);
    if (stopping) return Load::none;
    from = watched + 1;
    ended = Ended::no;
  }
  // A store that is closing delivers from inside watch(): the mutex is not held here.
  const auto watch =
      store.watch(std::string(kRightsPrefix), from, [this](const WatchMessage& message) { deliver(message); });
  Revision reached = 0;
  {
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return stopping || ended != Ended::no; });
    if (stopping) return Load::none;
    if (ended == Ended::compacted) return Load::with_log;
    reached = watched;
  }
  if (is_stalled(reached)) {
    telemetry::log_error("rights: no watch gets past revision {}: all records are read anew", reached);
    return Load::without_log;
  }
  pause();
  return Load::none;
}

bool RightsMirror::Shared::is_stalled(Revision at) {
  stalls = at == std::exchange(stalled_at, at) ? stalls + 1 : 1;
  return stalls >= kStallsMax;
}

void RightsMirror::Shared::deliver(const WatchMessage& message) {
  if (const auto* batch = std::get_if<WatchBatch>(&message)) return apply(*batch);
  const auto* lost = std::get_if<WatchLost>(&message);
  if (lost != nullptr) {
    telemetry::log_warn("rights: the watch was lost: {}", lost->reason);
  } else {
    telemetry::log_warn("rights: the watch's next revision is compacted away: all records are read anew");
  }
  const std::lock_guard lock(mutex);
  ++(lost != nullptr ? counters.watches_lost : counters.watches_compacted);
  ended = lost != nullptr ? Ended::lost : Ended::compacted;
  wake.notify_all();
}

RightsMirror::Shared::Update RightsMirror::Shared::read(const WatchBatch& batch) const {
  Update update;
  update.frame.revision = batch.revision;
  const KeyValue* beat = nullptr;
  for (const WatchBatch::Event& event : batch.events) {
    if (event.entry.key == kBeatKey && !event.erased) beat = &event.entry;
    const auto id = id_of(event.entry.key);
    if (!id) continue;
    rights::ReplicaChange& change = update.frame.changes.emplace_back(rights::ReplicaChange{*id, std::nullopt});
    if (event.erased) continue;
    const auto record = record_of(event.entry);
    if (record) {
      change.record = *record;
      continue;
    }
    // No record is no permission; one that cannot be read must not leave an older one standing.
    ++update.corrupt;
    telemetry::log_error("rights: left out: {}", describe(record.error()));
  }
  // A revision makes one frame: the beat of one that also changed records is left to the next second.
  if (beat == nullptr || !update.frame.changes.empty()) return update;
  const auto parsed = parse_beat(beat->value);
  if (parsed) {
    update.beat = *parsed;
  } else {
    telemetry::log_error("rights: {}", describe(parsed.error()));
  }
  return update;
}

void RightsMirror::Shared::apply(const WatchBatch& batch) {
  Update update = read(batch);
  const std::lock_guard lock(mutex);
  if (batch.revision <= watched) return;
  watched = batch.revision;
  counters.corrupt_records += update.corrupt;
  for (const rights::ReplicaChange& change : update.frame.changes) {
    if (change.record) {
      table.put(change.id, *change.record, batch.revision);
    } else {
      table.erase(change.id, batch.revision);
    }
  }
  if (!update.frame.changes.empty()) {
    ++counters.changes;
    backlog.add(std::move(update.frame));
  } else if (update.beat) {
    apply_beat_locked(*update.beat, batch.revision);
  }
  notify_locked();
}

void RightsMirror::Shared::apply_beat_locked(const Beat& beat, Revision revision) {
  if (revision <= loaded) return;
  ready = true;
  ++counters.beats;
  rights::BeatFrame frame;
  frame.revision = revision;
  frame.origin_time_ms = beat.time_ms;
  frame.floor = backlog.start();
  frame.records = table.size();
  frame.root = table.digest().root();
  roots.push_back({revision, frame.root});
  if (roots.size() > options.roots_kept) roots.pop_front();
  backlog.add(frame);
}

void RightsMirror::Shared::notify_locked() {
  if (std::exchange(notifying, true)) return;
  loop.post([weak = weak_from_this()] {
    if (const auto shared = weak.lock()) shared->notify_subscribers();
  });
}

// A subscriber may remove itself or others, or add one, within its call.
void RightsMirror::Shared::notify_subscribers() {
  {
    const std::lock_guard lock(mutex);
    notifying = false;
  }
  std::vector<Subscription> due;
  due.reserve(subscribers.size());
  for (const auto& [subscription, changed] : subscribers) due.push_back(subscription);
  for (const Subscription subscription : due) {
    const auto found = subscribers.find(subscription);
    if (found == subscribers.end()) continue;
    const auto changed = found->second;
    changed();
  }
}

RightsMirror::RightsMirror(ControlStore& store, EventLoop& loop, Decode decode, const MirrorOptions& options)
    : shared_(std::make_shared<Shared>(store, loop, std::move(decode), options)) {}

RightsMirror::~RightsMirror() {
  stop();
}

void RightsMirror::start() {
  thread_ = std::thread([shared = shared_.get()] { shared->run(); });
}

void RightsMirror::stop() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->wake.notify_all();
  if (thread_.joinable()) thread_.join();
}

MirrorState RightsMirror::state() const {
  const std::lock_guard lock(shared_->mutex);
  const Shared& shared = *shared_;
  return {shared.ready,
          shared.counters.loads,
          shared.cluster,
          shared.watched,
          shared.backlog.start(),
          shared.table.size(),
          shared.table.digest().root(),
          shared.backlog.frames(),
          shared.backlog.bytes()};
}

MirrorCounters RightsMirror::counters() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->counters;
}

bool RightsMirror::ready() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->ready;
}

std::optional<rights::ReplicaRecord> RightsMirror::find(const rights::EntitlementId& id) const {
  const std::lock_guard lock(shared_->mutex);
  const rights::ReplicaRecord* record = shared_->ready ? shared_->table.find(id) : nullptr;
  if (record == nullptr) return std::nullopt;
  return *record;
}

RightsMirror::BucketCopy RightsMirror::bucket(std::size_t number) const {
  const std::lock_guard lock(shared_->mutex);
  return {shared_->watched, shared_->table.bucket(number)};
}

rights::BucketsFrame RightsMirror::buckets() const {
  const std::lock_guard lock(shared_->mutex);
  return {shared_->watched, shared_->table.digest().buckets()};
}

std::optional<rights::Sum128> RightsMirror::root_at(Revision beat_revision) const {
  const std::lock_guard lock(shared_->mutex);
  const auto& roots = shared_->roots;
  const auto found = std::lower_bound(roots.begin(), roots.end(), beat_revision,
                                      [](const auto& beat, Revision revision) { return beat.revision < revision; });
  if (found == roots.end() || found->revision != beat_revision) return std::nullopt;
  return found->root;
}

RightsMirror::Next RightsMirror::next(Revision position, std::size_t bytes) const {
  const std::lock_guard lock(shared_->mutex);
  const ChangeBacklog& backlog = shared_->backlog;
  Next next;
  next.start = backlog.start();
  next.gone = position < backlog.start();
  if (!next.gone) next.piece = backlog.after(position, bytes);
  return next;
}

RightsMirror::Subscription RightsMirror::subscribe(std::function<void()> changed) {
  const Subscription subscription = ++shared_->last_subscription;
  shared_->subscribers.emplace(subscription, std::move(changed));
  return subscription;
}

void RightsMirror::unsubscribe(Subscription subscription) {
  shared_->subscribers.erase(subscription);
}

std::size_t RightsMirror::subscribers() const {
  return shared_->subscribers.size();
}

}  // namespace reelway::origin
