#include "edge/store/disk_tier.h"

#include <spdlog/fmt/fmt.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "common/base/check.h"
#include "common/ring/ring.h"
#include "common/ring/side_workers.h"
#include "common/telemetry/log.h"
#include "edge/store/disk_loader.h"
#include "edge/store/disk_recovery.h"
#include "edge/store/disk_writer.h"
#include "edge/store/open_attempts.h"

// Model: what lies on disk is known in memory (DiskIndex: key -> StoredPlace; DiskSpace: free slots) and recorded in
// RocksDB (RecordIndex), which alone survives. A StoredPlace is free again only after its record is gone and nobody
// reads it. The writer puts bodies and then records; the loader reads records and then bodies; the journal orders
// all changes of records.

namespace reelway::edge {
namespace {

// A sixteenth of the budget is for inline bodies (RocksDB), the rest for slab files.
constexpr std::uint64_t kInlineShare = 16;

std::uint64_t slab_capacity(std::uint64_t budget_bytes) {
  const std::uint64_t bytes = budget_bytes - budget_bytes / kInlineShare;
  return bytes / Extent::kBytesMax * Extent::kBytesMax;
}

// Notes in the index: one of each purge in force, and the last epoch given.
constexpr std::string_view kPurgeNote = "purge/";
constexpr std::string_view kEpochNote = "purge-epoch";
constexpr std::string_view kGenerationNote = "generation";

std::string purge_note(const PurgeRule& rule) {
  return fmt::format("{}{:016x}", kPurgeNote, rule.epoch);
}

using Notes = std::vector<std::pair<std::string, std::string>>;

void restore_purges(const Notes& notes, PurgeRules& purges) {
  for (const auto& [name, value] : notes) {
    if (name == kEpochNote) purges.raise_epoch(ByteReader(as_bytes(value)).u64());
    if (name.starts_with(kPurgeNote) && purges.restore(as_bytes(value)) == nullptr) {
      telemetry::log_warn("edge store: a stored purge makes no sense and is dropped: {}", name);
    }
  }
}

DiskTier::Membership membership_of(const Notes& notes) {
  for (const auto& [name, value] : notes) {
    if (name != kGenerationNote) continue;
    ByteReader in(as_bytes(value));
    const std::uint64_t generation = in.u64();
    return {generation, std::string(as_text(in.take(in.remaining())))};
  }
  return {};
}

Bytes number_bytes(std::uint64_t number) {
  ByteWriter out;
  out.u64(number);
  return out.take();
}

RecordIndex::Change note_change(std::string name, Bytes value) {
  RecordIndex::Change change{std::move(name), std::move(value), std::nullopt, false};
  change.is_note = true;
  return change;
}

std::string attempts_file(const DiskTierOptions& options) {
  return options.directory + "/opening";
}

std::string index_directory(const DiskTierOptions& options) {
  return options.directory + "/index";
}

}  // namespace

struct DiskTier::State {
  State(ring::Ring& ring, const Clock& clock, PurgeRules& purges, const DiskTierOptions& the_options,
        std::unique_ptr<RecordIndex> the_records, SlabFiles the_slabs)
      : options(the_options),
        attempts(attempts_file(the_options)),
        records(std::move(the_records)),
        slabs(std::move(the_slabs)),
        index(empty_index()),
        health(clock, [this](std::string_view reason) { give_up(std::string(reason)); }),
        journal(
            ring, *records, [this] { lost(); }, [this](int error) { shared.note_io(DiskHealth::Part::index, error); },
            [this] { return shared.fault(DiskFaults::Operation::write_index); }),
        shared{ring,     clock,  slabs,   space,  index,          journal,
               gate,     purges, loading, health, options.faults, options.directory,
               recording},
        opener(ring, 1, 1, "store-opener") {}

  DiskIndex empty_index() const { return {slabs.capacity_bytes(), options.budget_bytes / kInlineShare}; }
  void lost() {
    index.clear();
    loading.lost();
  }
  // Not from within the operation that failed: that one is still on the stack.
  void give_up(std::string reason) {
    shared.ring.defer([this, reason = std::move(reason), pass = std::make_shared<Gate::Pass>(gate.enter())] {
      telemetry::log_error(
          "edge store: the disk {} fails ({}) and is given up until the next start; {} objects are lost",
          options.directory, reason, index.objects());
      lost_objects += index.objects();
      loading.stop = true;
      journal.give_up();
      lost();
      writer->drop_queue();
      if (given_up) given_up();
    });
  }

  const DiskTierOptions options;
  const OpenAttempts attempts;
  Gate gate;
  std::unique_ptr<RecordIndex> records;
  SlabFiles slabs;
  DiskSpace space;
  DiskIndex index;
  DiskHealth health;
  RecordJournal journal;
  std::unordered_set<std::string> recording;
  IndexLoading loading;
  DiskShared shared;
  std::unique_ptr<DiskLoader> loader;
  std::unique_ptr<DiskWriter> writer;
  std::uint64_t untrue_records = 0;
  std::uint64_t lost_objects = 0;
  Membership membership;
  std::function<void()> given_up;
  ring::SideWorkers opener;
};

Result<std::unique_ptr<DiskTier>> DiskTier::open(ring::Ring& ring, const Clock& clock, MemoryTier& memory,
                                                 PurgeRules& purges, const DiskTierOptions& options) {
  std::error_code failed;
  std::filesystem::create_directories(options.directory, failed);
  if (failed) return system_error("mkdir", options.directory, failed.value());
  OpenAttempts attempts(attempts_file(options));
  const auto have_died = attempts.begin();
  if (!have_died) return have_died.error();
  if (*have_died && std::filesystem::exists(index_directory(options))) {
    telemetry::log_warn("edge store: the last {} starts died while opening the index", OpenAttempts::kDeathsMax);
    REELWAY_TRY(RecordIndex::set_aside(index_directory(options)));
  }
  auto opened = open_or_start_empty(ring, clock, memory, purges, options);
  if (!opened) attempts.end();
  return opened;
}

Result<std::unique_ptr<DiskTier>> DiskTier::open_or_start_empty(ring::Ring& ring, const Clock& clock,
                                                                MemoryTier& memory, PurgeRules& purges,
                                                                const DiskTierOptions& options) {
  auto state = open_state(ring, clock, memory, purges, options);
  // Opened, but damaged further in.
  if (!state && state.error().code == ErrorCode::stored_data_corrupt) {
    telemetry::log_warn("edge store: {}", describe(state.error()));
    REELWAY_TRY(RecordIndex::set_aside(index_directory(options)));
    state = open_state(ring, clock, memory, purges, options);
  }
  if (!state) return std::move(state).error();
  return std::unique_ptr<DiskTier>(new DiskTier(std::move(state).value()));
}

Result<std::unique_ptr<DiskTier::State>> DiskTier::open_state(ring::Ring& ring, const Clock& clock, MemoryTier& memory,
                                                              PurgeRules& purges, const DiskTierOptions& options) {
  auto records = RecordIndex::open(index_directory(options), options.index_memory);
  if (!records) return std::move(records).error();
  auto slabs = SlabFiles::open(options.directory + "/slabs", slab_capacity(options.budget_bytes));
  if (!slabs) return std::move(slabs).error();
  const auto notes = (*records)->notes();
  if (!notes) return notes.error();
  restore_purges(*notes, purges);
  auto state =
      std::make_unique<State>(ring, clock, purges, options, std::move(records).value(), std::move(slabs).value());
  state->membership = membership_of(*notes);
  state->loader = std::make_unique<DiskLoader>(state->shared, *state->records, memory);
  state->writer = std::make_unique<DiskWriter>(state->shared, options.queue_bytes_max);
  return state;
}

DiskTier::DiskTier(std::unique_ptr<State> state) : state_(std::move(state)) {}
DiskTier::~DiskTier() {
  state_->loading.stop = true;
}

const DiskTier::Membership& DiskTier::membership() const {
  return state_->membership;
}

void DiskTier::set_membership(Membership membership) {
  Bytes value = number_bytes(membership.generation);
  value.insert(value.end(), membership.members.begin(), membership.members.end());
  state_->membership = std::move(membership);
  auto pass = std::make_shared<Gate::Pass>(state_->gate.enter());
  state_->journal.put(note_change(std::string(kGenerationNote), std::move(value)), [pass](bool) {});
}

void DiskTier::start_empty() {
  telemetry::log_warn("edge store: the disk {} was not in service last; what is on it is dropped",
                      state_->options.directory);
  if (const auto emptied = state_->records->start_anew(); !emptied)
    state_->health.failed(DiskHealth::Part::index, ENODEV);
}

bool DiskTier::is_in_service() const {
  return !state_->health.is_given_up();
}

void DiskTier::when_given_up(std::function<void()> given_up) {
  state_->given_up = std::move(given_up);
}

std::uint64_t DiskTier::budget_bytes() const {
  return state_->options.budget_bytes;
}

void DiskTier::load_index() {
  auto loaded = std::make_shared<std::optional<Result<Recovered>>>();
  auto pass = std::make_shared<Gate::Pass>(state_->gate.enter());
  const bool accepted = state_->opener.submit(
      [state = state_.get(), loaded] {
        loaded->emplace(
            recover(*state->records, state->slabs, state->space, state->empty_index(), state->loading.stop));
      },
      [this, loaded, pass] { index_loaded(std::move(**loaded)); });
  CHECK(accepted);
}

void DiskTier::index_loaded(Result<Recovered> loaded) {
  State& state = *state_;
  state.attempts.end();
  std::uint64_t next_sequence = 1;
  const bool was_stopped = !loaded && loaded.error().code == ErrorCode::shutting_down;
  if (loaded) {
    telemetry::log_info("edge store: {} objects on disk in {}; dropped {} untrue and {} surplus records",
                        loaded->objects, state.options.directory, loaded->untrue, loaded->surplus);
    state.space.allocator() = std::move(loaded->allocator);
    state.index.adopt(std::move(loaded->index));
    state.untrue_records = loaded->untrue;
    state.shared.purges.raise_epoch(loaded->purge_epoch_max);
    next_sequence = loaded->next_sequence;
    if (state.loading.was_lost()) state.index.clear();
    for (std::string& key : loaded->to_remove) state.journal.remove(std::move(key), true, [] {});
  } else {
    state.space.allocator().grow(state.slabs.ready_bytes());
    if (!was_stopped) telemetry::log_warn("edge store: {}", describe(loaded.error()));
    const bool is_damaged = loaded.error().code == ErrorCode::stored_data_corrupt;
    if (is_damaged) state.journal.found_damage();
    // An index that cannot be read names slots that nobody knows of.
    if (!is_damaged && !was_stopped) state.health.failed(DiskHealth::Part::index, ENODEV);
  }
  for (auto& [key, marks] : state.loading.end()) {
    const auto place = state.index.find(key);
    // Removed once more: its slots come free only when its record is known to be gone.
    if (place && !marks) state.shared.remove(key);
    if (place && marks) place->set_marks(std::move(*marks));
  }
  state.loader->index_loaded();
  state.writer->begin(next_sequence);
  state.loading.tell_ended();
}

void DiskTier::write(const std::shared_ptr<Object>& object) {
  state_->writer->write(object);
}

void DiskTier::load(std::shared_ptr<Object> object, std::function<void(bool)> done) {
  state_->loader->load(std::move(object), std::move(done));
}

void DiskTier::freshen(std::string_view key, ObjectMeta meta) {
  if (state_->writer->freshen(key, meta)) return;
  state_->shared.freshen(key, std::move(meta), state_->gate.enter());
}

bool DiskTier::has(std::string_view key) const {
  return state_->index.find(key) != nullptr;
}

bool DiskTier::may_have(std::string_view key) const {
  return has(key) || state_->loading.may_have(key);
}

bool DiskTier::is_loading() const {
  return state_->loading.is_under_way();
}

void DiskTier::when_loaded(std::function<void()> loaded) {
  state_->loading.when_ended(std::move(loaded));
}

void DiskTier::touch(std::string_view key) {
  (void)state_->index.find_and_touch(key);
}

void DiskTier::erase(std::string_view key) {
  state_->writer->cancel(key);
  state_->shared.remove(key);
}

void DiskTier::remove(std::string_view key) {
  state_->shared.remove(key);
}

void DiskTier::mark_stale(std::string_view key, std::int64_t at_ms, std::uint64_t purge_epoch) {
  state_->shared.mark_stale(key, at_ms, purge_epoch);
}

void DiskTier::keep_purge(const PurgeRule& rule, std::function<void(bool)> done) {
  auto pass = std::make_shared<Gate::Pass>(state_->gate.enter());
  if (!*pass) return state_->shared.ring.defer([done = std::move(done)] { done(false); });
  state_->journal.put(note_change(std::string(kEpochNote), number_bytes(rule.epoch)), [](bool) {});
  state_->journal.put(note_change(purge_note(rule), PurgeRules::encode(rule)),
                      [pass, done = std::move(done)](bool written) { done(written); });
}

void DiskTier::forget_purge(const PurgeRule& rule) {
  state_->journal.remove_note(purge_note(rule));
}

bool DiskTier::visit_some(Cursor& cursor, std::size_t buckets,
                          const std::function<void(std::string_view, const PurgeMarks&)>& visit) {
  return state_->index.visit_some(cursor, buckets,
                                  [&](std::string_view key, const StoredPlace& place) { visit(key, place.marks()); });
}

void DiskTier::probe(std::string key, std::function<void(std::optional<ObjectMeta>)> done) {
  state_->loader->probe(std::move(key), std::move(done));
}

void DiskTier::add_counters(StoreCounters& counters) const {
  const State& state = *state_;
  counters.disks_loading += state.loading.is_under_way() ? 1 : 0;
  counters.disks_in_service += is_in_service() ? 1 : 0;
  counters.disks_out += is_in_service() ? 0 : 1;
  counters.disk_objects_lost += state.lost_objects;
  counters.disk_bytes += state.space.allocator().used_bytes() + state.index.inline_bytes();
  counters.disk_objects += state.index.objects();
  counters.disk_evictions += state.index.evictions();
  counters.disk_writes += state.writer->writes();
  counters.disk_write_errors += state.writer->errors() + state.journal.errors();
  counters.disk_writes_shed += state.writer->shed();
  counters.disk_queue_bytes += state.writer->queued_bytes();
  counters.disk_corrupt += state.loader->corrupt() + state.untrue_records;
  counters.disk_read_errors += state.loader->errors();
}

DiskReport DiskTier::report() const {
  StoreCounters counters;
  add_counters(counters);
  DiskReport report;
  report.directory = state_->options.directory;
  report.budget_bytes = state_->options.budget_bytes;
  report.is_in_service = is_in_service();
  report.is_loading = is_loading();
  report.bytes = counters.disk_bytes;
  report.objects = counters.disk_objects;
  report.read_errors = counters.disk_read_errors;
  report.write_errors = counters.disk_write_errors;
  return report;
}

void DiskTier::close(std::function<void()> closed) {
  state_->loading.stop = true;
  state_->journal.give_up_soon();
  state_->gate.close([ring = &state_->shared.ring, closed = std::move(closed)] { ring->defer(closed); });
}

}  // namespace reelway::edge
