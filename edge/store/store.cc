#include "edge/store/store.h"

#include <utility>

#include "common/base/check.h"
#include "common/ring/ring.h"
#include "edge/store/object_writer.h"
#include "edge/store/store_state.h"

// Model: a key is, in this order of looking, complete in the memory tier, being filled (in the table of fills), on
// disk, or nowhere. Exactly one FillPermit exists for an object that is being filled; whoever comes in between reads
// along. load() lends the permit to the disk tier, which completes the object or hands the permit back.
//
// Beside that a key may be in the table of updates: what is stored is stale, and its successor is under way. Look-ups
// go on finding what is stored; only when memory and disk have lost it meanwhile do they follow the update.

namespace reelway::edge {
namespace {

std::vector<DiskTierOptions> disk_options(const StoreOptions& options) {
  const IndexMemory index_memory(options.index_memory_bytes);
  std::vector<DiskTierOptions> disks{{options.directory, options.disk_bytes, 0, options.faults, index_memory}};
  for (const FurtherDisk& further : options.further_disks) {
    disks.push_back({further.directory, further.bytes, 0, options.faults, index_memory});
  }
  const std::uint64_t queue_bytes = std::min(options.disk_queue_bytes, options.memory_bytes / 4);
  for (DiskTierOptions& disk : disks) disk.queue_bytes_max = queue_bytes / disks.size();
  return disks;
}

}  // namespace

void add(StoreCounters& to, const StoreCounters& more) {
  using C = StoreCounters;
  constexpr std::uint64_t C::*kSums[] = {
      &C::memory_hits,       &C::disk_hits,         &C::follows,          &C::misses,
      &C::fills_completed,   &C::fills_failed,      &C::fills_refused,    &C::fills_not_modified,
      &C::memory_bytes,      &C::memory_objects,    &C::memory_evictions, &C::memory_refused,
      &C::disk_objects_lost, &C::disk_bytes,        &C::disk_objects,     &C::disk_evictions,
      &C::disk_writes,       &C::disk_write_errors, &C::disk_writes_shed, &C::disk_corrupt,
      &C::disk_read_errors,  &C::disk_queue_bytes};
  for (const auto member : kSums) to.*member += more.*member;
  to.disks_loading = std::max(to.disks_loading, more.disks_loading);
  to.disks_out = std::max(to.disks_out, more.disks_out);
  to.disks_in_service = std::min(to.disks_in_service, more.disks_in_service);
}

Store::State::State(ring::Ring& the_ring, const Clock& the_clock, const StoreOptions& the_options)
    : ring(the_ring),
      options(the_options),
      clock(the_clock),
      memory(options.memory_bytes, [this](std::string_view key, bool was_used) {
        if (disk && was_used) disk->touch(key);
      }) {}

bool Store::State::is_current(const Object& object) const {
  for (const Fillings* among : {&fills, &updates}) {
    const auto at = among->find(object.meta().key);
    if (at != among->end() && at->second.object.get() == &object) return true;
  }
  return false;
}

void Store::State::end_fill(const Object& object) {
  for (Fillings* among : {&fills, &updates}) {
    const auto at = among->find(object.meta().key);
    if (at != among->end() && at->second.object.get() == &object) among->erase(at);
  }
}

void Store::State::set_loading(const Object& object, bool is_loading) {
  const auto at = fills.find(object.meta().key);
  if (at != fills.end() && at->second.object.get() == &object) at->second.is_loading = is_loading;
}

void Store::State::leave_purged_fills(const PurgeRule& rule) {
  for (Fillings* among : {&fills, &updates}) {
    std::erase_if(*among, [&](const auto& entry) {
      const Object& object = *entry.second.object;
      // Its tags are not known yet, and its answer may have been made before the purge.
      const bool may_have_tag = rule.kind == PurgeRequest::Kind::tag && object.state() == ObjectState::awaiting_head;
      return may_have_tag || rule.matches(entry.first, std::span<const std::string>(object.meta().tags));
    });
  }
}

FillPermit Store::State::make_permit(Store& store, std::string_view key, Fillings& among) {
  auto object = std::make_shared<Object>(std::string(key));
  ObjectWriter(object).begin(purges.epoch());
  among.emplace(key, Filling{object});
  return FillPermit(store, std::move(object));
}

Result<std::unique_ptr<Store>> Store::open(ring::Ring& ring, const Clock& clock, const StoreOptions& options) {
  auto state = std::make_unique<State>(ring, clock, options);
  state->purges.raise_epoch(static_cast<std::uint64_t>(std::max<std::int64_t>(clock.wall_ms(), 0)));
  if (!options.directory.empty()) {
    auto opened = Disks::open(ring, clock, state->memory, state->purges, disk_options(options));
    if (!opened) return std::move(opened).error();
    state->disk = std::move(opened).value();
  }
  state->purger = std::make_unique<Purger>(ring, clock, state->memory, state->disk.get(), state->purges);
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}

Store::~Store() {
  CHECK(state_->permits == 0);
}

Lookup Store::lookup(std::string_view key) {
  Lookup found;
  auto object = state_->memory.find_and_touch(key);
  if (object && !state_->purges.empty()) object = state_->purger->judge(std::move(object));
  if (object) {
    ++state_->counters.memory_hits;
    found.kind = Lookup::Kind::hit;
    found.object = std::move(object);
    return found;
  }
  if (const auto at = state_->fills.find(key); at != state_->fills.end()) return follow(at->second.object);
  const auto update = state_->updates.find(key);
  const bool is_on_disk = state_->disk && state_->disk->may_have(key);
  if (update != state_->updates.end() && !is_on_disk) return follow(update->second.object);
  return begin_fill(key, false);
}

Lookup Store::lookup_for_update(std::string_view key) {
  if (const auto at = state_->updates.find(key); at != state_->updates.end()) return follow(at->second.object);
  // A load from disk would bring what is to be replaced.
  const auto fill = state_->fills.find(key);
  if (fill != state_->fills.end() && !fill->second.is_loading) return follow(fill->second.object);
  return begin_fill(key, true);
}

Lookup Store::pass(std::string_view key) {
  Lookup found;
  if (state_->permits >= state_->options.fills_max) {
    ++state_->counters.fills_refused;
    return found;
  }
  found.kind = Lookup::Kind::fill;
  found.object = std::make_shared<Object>(std::string(key));
  found.permit = FillPermit(*this, found.object);
  return found;
}

Lookup Store::follow(const std::shared_ptr<Object>& object) {
  ++state_->counters.follows;
  Lookup found;
  found.kind = Lookup::Kind::following;
  found.object = object;
  return found;
}

Lookup Store::begin_fill(std::string_view key, bool is_update) {
  Lookup found;
  if (state_->permits >= state_->options.fills_max) {
    ++state_->counters.fills_refused;
    return found;
  }
  found.kind = Lookup::Kind::fill;
  found.permit = state_->make_permit(*this, key, is_update ? state_->updates : state_->fills);
  found.object = found.permit->object();
  return found;
}

void Store::freshen(std::string_view key, ObjectMeta meta) {
  const auto stored = state_->memory.peek(key);
  if (stored && !is_same_body(meta, stored->meta())) return;
  if (stored) {
    auto object = std::make_shared<Object>(std::string(key));
    ObjectWriter(object).share(*stored, meta);
    state_->memory.replace(*stored, object);
  }
  if (state_->disk) state_->disk->freshen(key, std::move(meta));
}

void Store::load(FillPermit permit, std::function<void(Tier, std::optional<FillPermit>)> done) {
  const auto object = permit.object();
  state_->set_loading(*object, true);
  // The callbacks below must be copyable, a permit is not.
  const auto shared_permit = std::make_shared<FillPermit>(std::move(permit));
  if (!state_->disk) {
    state_->ring.defer([this, shared_permit, done = std::move(done)] {
      ++state_->counters.misses;
      state_->set_loading(*shared_permit->object(), false);
      done(Tier::none, std::move(*shared_permit));
    });
    return;
  }
  state_->disk->load(object, [this, shared_permit, done = std::move(done)](bool loaded) {
    if (loaded) {
      ++state_->counters.disk_hits;
      shared_permit->complete_from_disk();
      done(Tier::disk, std::nullopt);
    } else {
      ++state_->counters.misses;
      state_->set_loading(*shared_permit->object(), false);
      done(Tier::none, std::move(*shared_permit));
    }
  });
}

void Store::erase(std::string_view key) {
  state_->memory.erase(key);
  // A fill goes on for those who read it already; it is no longer found, nor kept.
  for (State::Fillings* among : {&state_->fills, &state_->updates}) {
    if (const auto at = among->find(key); at != among->end()) among->erase(at);
  }
  if (state_->disk) state_->disk->erase(key);
}

void Store::purge(const PurgeRequest& request, std::function<void(Result<PurgeResult>)> done) {
  auto rule = state_->purger->begin(request, done);
  if (!rule) return state_->ring.defer([error = rule.error(), done = std::move(done)] { done(error); });
  state_->leave_purged_fills(**rule);
}

std::shared_ptr<Object> Store::peek(std::string_view key) {
  if (auto object = state_->memory.peek(key)) return object;
  const auto at = state_->fills.find(key);
  return at == state_->fills.end() ? nullptr : at->second.object;
}

void Store::probe(std::string key, std::function<void(std::optional<Probe>)> done) {
  auto object = state_->memory.peek(key);
  if (!object) {
    if (const auto at = state_->fills.find(key); at != state_->fills.end()) object = at->second.object;
  }
  if (object) {
    Probe probe{Tier::memory, object->state(), object->meta(), object->bytes_present()};
    state_->ring.defer([probe = std::move(probe), done = std::move(done)] { done(probe); });
  } else if (state_->disk) {
    state_->disk->probe(std::move(key), [done = std::move(done)](std::optional<ObjectMeta> meta) {
      if (!meta) return done(std::nullopt);
      const std::uint64_t length = meta->length.value_or(0);
      done(Probe{Tier::disk, ObjectState::complete, std::move(*meta), length});
    });
  } else {
    state_->ring.defer([done = std::move(done)] { done(std::nullopt); });
  }
}

std::vector<DiskReport> Store::disks() const {
  return state_->disk ? state_->disk->report() : std::vector<DiskReport>{};
}

std::uint64_t Store::kept_bytes_max() const {
  return state_->kept_bytes_max();
}

StoreCounters Store::counters() const {
  StoreCounters counters = state_->counters;
  counters.memory_bytes = state_->memory.used_bytes();
  counters.memory_objects = state_->memory.objects();
  counters.memory_evictions = state_->memory.evictions();
  counters.memory_refused = state_->memory.refused();
  if (state_->disk) state_->disk->add_counters(counters);
  return counters;
}

void Store::close(std::function<void()> closed) {
  state_->purger->close();
  if (state_->disk) {
    state_->disk->close(std::move(closed));
  } else {
    state_->ring.defer(std::move(closed));
  }
}

}  // namespace reelway::edge
