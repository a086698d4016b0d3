#include "edge/replica/replica_table.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "common/base/check.h"
#include "common/rights/title_mark.h"

namespace reelway::edge {

using rights::EntitlementId;
using rights::ReplicaRecord;
using rights::Revision;

namespace {

constexpr std::size_t kSlotsMin = 4;

}  // namespace

std::size_t ReplicaTable::home(const Bucket& bucket, const EntitlementId& id) {
  return EntitlementIdHash{}(id) & (bucket.size() - 1);
}

// Probed one after another from the id's home; a bucket is never full.
std::size_t ReplicaTable::find_slot(const Bucket& bucket, const EntitlementId& id) {
  std::size_t slot = home(bucket, id);
  while (bucket[slot].taken && bucket[slot].id != id) slot = (slot + 1) & (bucket.size() - 1);
  return slot;
}

const ReplicaTable::Entry* ReplicaTable::find_in(const Bucket& bucket, const EntitlementId& id) {
  if (bucket.empty()) return nullptr;
  const Slot& slot = bucket[find_slot(bucket, id)];
  return slot.taken ? &slot.entry : nullptr;
}

const ReplicaTable::Entry* ReplicaTable::find(const EntitlementId& id) const {
  return find_in(buckets_[rights::bucket_of(id)], id);
}

bool ReplicaTable::put(const ReplicaRecord& record) {
  const std::size_t bucket = rights::bucket_of(record.id);
  const Entry* const found = find_in(buckets_[bucket], record.id);
  if (found != nullptr && found->mod_revision >= record.mod_revision) return false;
  store(bucket, record);
  return true;
}

bool ReplicaTable::erase(const EntitlementId& id, Revision revision) {
  const std::size_t bucket = rights::bucket_of(id);
  const Entry* const found = find_in(buckets_[bucket], id);
  if (found == nullptr || found->mod_revision >= revision) return false;
  remove(bucket, id);
  return true;
}

std::vector<EntitlementId> ReplicaTable::merge_bucket(std::size_t number, std::span<const ReplicaRecord> records,
                                                      Revision end) {
  std::vector<EntitlementId> changed;
  std::unordered_set<EntitlementId, EntitlementIdHash> told;
  for (const ReplicaRecord& record : records) {
    CHECK(rights::bucket_of(record.id) == number);
    told.insert(record.id);
    if (const Entry* const ours = find_in(buckets_[number], record.id)) {
      if (ours->mod_revision > record.mod_revision) continue;
      if (ours->mod_revision == record.mod_revision && ours->record == record.record) continue;
    }
    store(number, record);
    changed.push_back(record.id);
  }
  std::vector<EntitlementId> gone;
  for (const Slot& slot : buckets_[number]) {
    if (slot.taken && !told.contains(slot.id) && slot.entry.mod_revision <= end) gone.push_back(slot.id);
  }
  for (const EntitlementId& id : gone) remove(number, id);
  changed.insert(changed.end(), gone.begin(), gone.end());
  return changed;
}

void ReplicaTable::append_bucket(std::size_t bucket, std::vector<ReplicaRecord>& to) const {
  for (const Slot& slot : buckets_[bucket]) {
    if (slot.taken) to.push_back({slot.id, slot.entry.mod_revision, slot.entry.record});
  }
}

void ReplicaTable::store(std::size_t number, const ReplicaRecord& record) {
  make_room(number);
  Slot& slot = buckets_[number][find_slot(buckets_[number], record.id)];
  if (slot.taken) {
    digest_.remove(record.id, slot.entry.record, slot.entry.mod_revision);
  } else {
    ++size_;
    ++taken_[number];
  }
  slot = {record.id, {record.record, record.mod_revision}, true};
  digest_.add(record.id, record.record, record.mod_revision);
  note_withdrawn(record.id, rights::is_withdrawal(record.record));
}

// Nearly all records are entitlements of titles that are on, and cost no look-up.
void ReplicaTable::note_withdrawn(const EntitlementId& id, bool withdrawn) {
  if (withdrawn ? withdrawn_.insert(id).second : !withdrawn_.empty() && withdrawn_.erase(id) > 0) ++withdrawals_;
}

// For one more.
void ReplicaTable::make_room(std::size_t number) {
  Bucket& bucket = buckets_[number];
  if ((taken_[number] + 1) * 4 <= bucket.size() * 3) return;
  Bucket larger(std::max(kSlotsMin, bucket.size() * 2));
  for (const Slot& slot : bucket) {
    if (slot.taken) larger[find_slot(larger, slot.id)] = slot;
  }
  bucket = std::move(larger);
}

void ReplicaTable::remove(std::size_t number, const EntitlementId& id) {
  Bucket& bucket = buckets_[number];
  const std::size_t slot = find_slot(bucket, id);
  digest_.remove(id, bucket[slot].entry.record, bucket[slot].entry.mod_revision);
  note_withdrawn(id, false);
  free_slot(bucket, slot);
  --taken_[number];
  --size_;
}

// What came to lie behind the slot for want of it moves up, so there are no marks of former records to pass over.
void ReplicaTable::free_slot(Bucket& bucket, std::size_t slot) {
  const std::size_t mask = bucket.size() - 1;
  std::size_t hole = slot;
  for (std::size_t at = (hole + 1) & mask; bucket[at].taken; at = (at + 1) & mask) {
    // Unless its home lies behind the hole, on the way to where it is.
    const std::size_t way = (at - home(bucket, bucket[at].id)) & mask;
    if (way >= ((at - hole) & mask)) bucket[std::exchange(hole, at)] = bucket[at];
  }
  bucket[hole].taken = false;
}

}  // namespace reelway::edge
