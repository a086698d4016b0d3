#include "edge/store/purger.h"

#include <algorithm>
#include <span>
#include <utility>

#include "common/base/check.h"
#include "common/ring/ring.h"
#include "edge/store/object_writer.h"

// Model: rule in force -> (on disk) and (walked) -> reported and retired. The walk is what lets rules be few, so that
// a look-up never pays for the purges of the past. What a look-up or a load meets before the walk does is dealt with
// there and then, in the same way, and counted.
//
// An object in both tiers is met in memory first and dealt with in both, so it is counted once.

namespace reelway::edge {
namespace {

// Buckets of a table, about as many objects: some hundred microseconds.
constexpr std::size_t kStepBuckets = 2048;

std::shared_ptr<Object> stale_copy(const std::shared_ptr<Object>& object, const PurgeRule& rule) {
  ObjectMeta meta = object->meta();
  meta.fresh_until_ms = std::min(meta.fresh_until_ms, rule.at_ms);
  meta.purge_epoch = rule.epoch;
  auto copy = std::make_shared<Object>(meta.key);
  ObjectWriter(copy).share(*object, std::move(meta));
  return copy;
}

}  // namespace

Purger::Purger(ring::Ring& ring, const Clock& clock, MemoryTier& memory, Disks* disk, PurgeRules& purges)
    : ring_(ring),
      clock_(clock),
      memory_(memory),
      disk_(disk),
      purges_(purges),
      self_(std::make_shared<Purger*>(this)) {
  for (const PurgeRule& rule : purges_.all()) pending_[rule.epoch].is_kept = true;
  if (!purges_.empty()) schedule();
}

Purger::~Purger() {
  *self_ = nullptr;
}

Result<const PurgeRule*> Purger::begin(const PurgeRequest& request, Done done) {
  if (is_closed_) return Error{ErrorCode::shutting_down, Side::self, true, "the store is closing"};
  if (purges_.full()) return Error{ErrorCode::overloaded, Side::self, true, "too many purges are under way"};
  auto rule = purges_.add(request, clock_.wall_ms());
  if (!rule) return std::move(rule).error();
  const std::uint64_t epoch = (*rule)->epoch;
  Pending& pending = pending_[epoch];
  pending.done = std::move(done);
  pending.is_kept = disk_ == nullptr;
  if (disk_ != nullptr) {
    disk_->keep_purge(**rule, [self = self_, epoch](bool kept) {
      if (*self == nullptr) return;
      const auto at = (*self)->pending_.find(epoch);
      if (at == (*self)->pending_.end()) return;
      at->second.is_kept = true;
      at->second.is_lost = !kept;
      (*self)->finish(epoch);
    });
  }
  schedule();
  return *rule;
}

std::shared_ptr<Object> Purger::judge(std::shared_ptr<Object> found) {
  PurgeRule* rule = purges_.find(found->meta());
  if (rule == nullptr) return found;
  const std::string key = found->meta().key;
  apply(*rule, key, found);
  return memory_.peek(key);
}

void Purger::apply(PurgeRule& rule, const std::string& key, const std::shared_ptr<Object>& object) {
  rule.note(key, true, disk_ != nullptr && disk_->has(key));
  if (!rule.soft) {
    memory_.erase(key);
    if (disk_ != nullptr) disk_->erase(key);
  } else {
    const auto stale = stale_copy(object, rule);
    memory_.replace(*object, stale);
    if (disk_ != nullptr) disk_->freshen(key, stale->meta());
  }
}

void Purger::schedule() {
  if (is_scheduled_ || is_closed_) return;
  is_scheduled_ = true;
  // Not deferred: completions of other work come in between.
  ring_.post([self = self_] {
    if (*self == nullptr) return;
    (*self)->is_scheduled_ = false;
    (*self)->step();
  });
}

void Purger::step() {
  if (is_closed_) return;
  if (disk_ != nullptr && disk_->is_loading()) return wait_for_index();
  if (!is_walking_) {
    is_walking_ = true;
    walk_epoch_ = purges_.epoch();
    memory_is_walked_ = false;
    memory_cursor_ = {};
    disk_cursor_ = {};
  }
  const bool more_in_memory = !memory_is_walked_ && walk_memory();
  if (!more_in_memory) memory_is_walked_ = true;
  const bool more = more_in_memory || (disk_ != nullptr && walk_disk());
  if (!more) end_walk();
  const bool is_wanted =
      std::any_of(pending_.begin(), pending_.end(), [](const auto& p) { return !p.second.is_walked; });
  if (is_wanted) schedule();
}

void Purger::wait_for_index() {
  if (is_waiting_) return;
  is_waiting_ = true;
  disk_->when_loaded([self = self_] {
    if (*self != nullptr) (*self)->schedule();
  });
}

bool Purger::walk_memory() {
  std::vector<std::pair<PurgeRule*, std::shared_ptr<Object>>> met;
  const bool more = memory_.visit_some(memory_cursor_, kStepBuckets, [&](std::string_view, const auto& object) {
    if (PurgeRule* rule = purges_.find(object->meta())) met.emplace_back(rule, object);
  });
  for (const auto& [rule, object] : met) apply(*rule, object->meta().key, object);
  return more;
}

bool Purger::walk_disk() {
  std::vector<std::pair<PurgeRule*, std::string>> met;
  const bool more = disk_->visit_some(disk_cursor_, kStepBuckets, [&](std::string_view key, const PurgeMarks& marks) {
    if (PurgeRule* rule = purges_.find(key, marks.epoch, marks.tag_hashes)) met.emplace_back(rule, key);
  });
  for (const auto& [rule, key] : met) {
    auto object = memory_.peek(key);
    // What is in memory may be younger than the purge; then its write has not ended, and is not to be disturbed.
    const bool is_same = object && object->meta().purge_epoch < rule->epoch;
    if (is_same) {
      apply(*rule, key, object);
      continue;
    }
    rule->note(key, false, true);
    rule->soft ? disk_->mark_stale(key, rule->at_ms, rule->epoch) : disk_->remove(key);
  }
  return more;
}

void Purger::end_walk() {
  is_walking_ = false;
  std::vector<std::uint64_t> walked;
  for (auto& [epoch, pending] : pending_) {
    if (epoch > walk_epoch_) continue;
    pending.is_walked = true;
    walked.push_back(epoch);
  }
  for (const std::uint64_t epoch : walked) finish(epoch);
}

void Purger::finish(std::uint64_t epoch) {
  const auto at = pending_.find(epoch);
  if (!at->second.is_walked || !at->second.is_kept) return;
  const Pending pending = std::move(at->second);
  pending_.erase(at);
  auto& rules = purges_.all();
  const auto rule =
      std::find_if(rules.begin(), rules.end(), [epoch](const auto& other) { return other.epoch == epoch; });
  CHECK(rule != rules.end());
  PurgeResult found = std::move(rule->found);
  // Behind all removals, so that it is on disk as long as any of them is not.
  if (disk_ != nullptr) disk_->forget_purge(*rule);
  purges_.retire(*rule);
  if (!pending.done) return;
  if (pending.is_lost) {
    return pending.done(Error{ErrorCode::io_failed, Side::disk, true,
                              "the purge is in effect, but no disk could keep it for the next start"});
  }
  pending.done(std::move(found));
}

void Purger::close() {
  is_closed_ = true;
  for (auto& [epoch, pending] : std::exchange(pending_, {})) {
    if (!pending.done) continue;
    pending.done(Error{ErrorCode::shutting_down, Side::self, true, "the purge goes on after the restart"});
  }
}

}  // namespace reelway::edge
