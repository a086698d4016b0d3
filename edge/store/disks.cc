#include "edge/store/disks.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/telemetry/log.h"

namespace reelway::edge {
namespace {

// The same for one key and disk in every run: by the disk's place in the configuration.
std::uint64_t mixed(std::string_view key, std::size_t disk) {
  std::uint64_t hash = tag_hash(key) ^ (disk + 1) * 0x9e3779b97f4a7c15;
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
  return hash ^ hash >> 31;
}

}  // namespace

// A load that asks one disk after another: more than one only while an index is being loaded.
struct Disks::LoadFrom {
  std::shared_ptr<Object> object;
  std::vector<DiskTier*> disks;  // the next one last
  std::function<void(bool)> done;
};

Result<std::unique_ptr<Disks>> Disks::open(ring::Ring& ring, const Clock& clock, MemoryTier& memory, PurgeRules& purges,
                                           const std::vector<DiskTierOptions>& options) {
  std::unique_ptr<Disks> all(new Disks(clock));
  for (const DiskTierOptions& one : options) {
    auto opened = DiskTier::open(ring, clock, memory, purges, one);
    if (opened) {
      all->disks_.push_back(std::move(opened).value());
      continue;
    }
    if (all->disks_.empty()) return std::move(opened).error();
    telemetry::log_error("edge store: the disk {} is left out: {}", one.directory, describe(opened.error()));
    all->left_out_.push_back({.directory = one.directory, .budget_bytes = one.budget_bytes});
  }
  std::string members;
  for (const DiskTierOptions& one : options) members += one.directory + "\n";
  all->agree_on_generation(std::move(members));
  for (const auto& disk : all->disks_) {
    disk->when_given_up([self = all.get()] { self->begin_generation(); });
    disk->load_index();
  }
  return all;
}

// Before the indexes are loaded.
void Disks::agree_on_generation(std::string members) {
  members_ = std::move(members);
  std::uint64_t latest = 0;
  for (const auto& disk : disks_) latest = std::max(latest, disk->membership().generation);
  bool is_as_before = left_out_.empty();
  for (const auto& disk : disks_) {
    const bool is_behind = disk->membership().generation < latest;
    if (is_behind) disk->start_empty();
    if (is_behind || disk->membership().members != members_) is_as_before = false;
  }
  if (!is_as_before) begin_generation();
}

void Disks::begin_generation() {
  std::uint64_t next = static_cast<std::uint64_t>(std::max<std::int64_t>(clock_.wall_ms(), 0));
  for (const auto& disk : disks_) next = std::max(next, disk->membership().generation + 1);
  for (const auto& disk : disks_) {
    if (disk->is_in_service()) disk->set_membership({next, members_});
  }
}

DiskTier* Disks::home_of(std::string_view key) const {
  DiskTier* best = nullptr;
  double best_score = 0;
  for (std::size_t i = 0; i < disks_.size(); ++i) {
    if (!disks_[i]->is_in_service()) continue;
    const double uniform = (static_cast<double>(mixed(key, i) >> 11) + 0.5) / 9007199254740992.0;  // 2^53
    const double score = static_cast<double>(disks_[i]->budget_bytes()) / -std::log(uniform);
    if (best != nullptr && score <= best_score) continue;
    best = disks_[i].get();
    best_score = score;
  }
  return best;
}

void Disks::write(const std::shared_ptr<Object>& object) {
  DiskTier* home = disks_.size() == 1 ? disks_.front().get() : home_of(object->meta().key);
  for (const auto& disk : disks_) {
    if (disk.get() != home && disk->may_have(object->meta().key)) disk->erase(object->meta().key);
  }
  if (home != nullptr) home->write(object);
}

void Disks::load(std::shared_ptr<Object> object, std::function<void(bool)> done) {
  const std::string& key = object->meta().key;
  if (disks_.size() == 1) return disks_.front()->load(std::move(object), std::move(done));
  auto from = std::make_shared<LoadFrom>();
  for (const auto& disk : disks_) {
    if (disk->may_have(key)) from->disks.push_back(disk.get());
  }
  // The surest first, which is the last of the list.
  std::stable_partition(from->disks.begin(), from->disks.end(), [&](const DiskTier* disk) { return !disk->has(key); });
  if (from->disks.empty()) from->disks.push_back(disks_.front().get());
  from->object = std::move(object);
  from->done = std::move(done);
  load_next(from);
}

void Disks::load_next(const std::shared_ptr<LoadFrom>& from) {
  DiskTier* disk = from->disks.back();
  from->disks.pop_back();
  disk->load(from->object, [this, from](bool loaded) {
    const bool is_untouched = from->object->state() == ObjectState::awaiting_head;
    if (loaded || from->disks.empty() || !is_untouched) return from->done(loaded);
    load_next(from);
  });
}

void Disks::freshen(std::string_view key, const ObjectMeta& meta) {
  for (const auto& disk : disks_) disk->freshen(key, meta);
}

bool Disks::has(std::string_view key) const {
  return std::any_of(disks_.begin(), disks_.end(), [key](const auto& disk) { return disk->has(key); });
}

bool Disks::may_have(std::string_view key) const {
  return std::any_of(disks_.begin(), disks_.end(), [key](const auto& disk) { return disk->may_have(key); });
}

bool Disks::is_loading() const {
  return std::any_of(disks_.begin(), disks_.end(), [](const auto& disk) { return disk->is_loading(); });
}

void Disks::when_loaded(std::function<void()> loaded) {
  auto left = std::make_shared<std::size_t>(disks_.size());
  auto one = [left, loaded = std::move(loaded)] {
    if (--*left == 0) loaded();
  };
  for (const auto& disk : disks_) disk->when_loaded(one);
}

void Disks::touch(std::string_view key) {
  for (const auto& disk : disks_) disk->touch(key);
}

void Disks::erase(std::string_view key) {
  for (const auto& disk : disks_) disk->erase(key);
}

void Disks::remove(std::string_view key) {
  for (const auto& disk : disks_) disk->remove(key);
}

void Disks::mark_stale(std::string_view key, std::int64_t at_ms, std::uint64_t purge_epoch) {
  for (const auto& disk : disks_) disk->mark_stale(key, at_ms, purge_epoch);
}

void Disks::keep_purge(const PurgeRule& rule, std::function<void(bool)> done) {
  struct Waiting {
    std::size_t left = 1;
    std::size_t kept = 0;
    bool failed = false;
    std::function<void(bool)> done;
  };
  auto waiting = std::make_shared<Waiting>();
  waiting->done = std::move(done);
  const auto one_less = [waiting] {
    if (--waiting->left == 0) waiting->done(!waiting->failed && waiting->kept > 0);
  };
  bool is_asked = false;
  for (const auto& disk : disks_) {
    // Also of one that is not in service, when there is no other: it answers that it cannot.
    const bool is_last = disk == disks_.back() && !is_asked;
    if (!disk->is_in_service() && !is_last) continue;
    is_asked = true;
    ++waiting->left;
    disk->keep_purge(rule, [waiting, one_less, disk = disk.get()](bool kept) {
      waiting->kept += kept ? 1 : 0;
      // One that was given up meanwhile will start empty.
      if (!kept && disk->is_in_service()) waiting->failed = true;
      one_less();
    });
  }
  one_less();
}

void Disks::forget_purge(const PurgeRule& rule) {
  for (const auto& disk : disks_) disk->forget_purge(rule);
}

bool Disks::visit_some(Cursor& cursor, std::size_t buckets,
                       const std::function<void(std::string_view, const PurgeMarks&)>& visit) {
  if (disks_[cursor.disk]->visit_some(cursor.at, buckets, visit)) return true;
  if (cursor.disk + 1 == disks_.size()) return false;
  cursor = {cursor.disk + 1, {}};
  return true;
}

void Disks::probe(std::string key, std::function<void(std::optional<ObjectMeta>)> done) {
  DiskTier* asked = disks_.front().get();
  for (const auto& disk : disks_) {
    if (disk->may_have(key)) asked = disk.get();
    if (disk->has(key)) break;
  }
  asked->probe(std::move(key), std::move(done));
}

void Disks::add_counters(StoreCounters& counters) const {
  for (const auto& disk : disks_) disk->add_counters(counters);
  counters.disks_out += left_out_.size();
}

std::vector<DiskReport> Disks::report() const {
  std::vector<DiskReport> all;
  for (const auto& disk : disks_) all.push_back(disk->report());
  all.insert(all.end(), left_out_.begin(), left_out_.end());
  return all;
}

void Disks::close(std::function<void()> closed) {
  auto left = std::make_shared<std::size_t>(disks_.size());
  for (const auto& disk : disks_) {
    disk->close([left, closed] {
      if (--*left == 0) closed();
    });
  }
}

}  // namespace reelway::edge
