#include "edge/replica/replica_table.h"

#include <unordered_set>

#include "common/base/check.h"

namespace reelway::edge {

using rights::EntitlementId;
using rights::ReplicaRecord;
using rights::Revision;

const ReplicaTable::Entry* ReplicaTable::find(const EntitlementId& id) const {
  const Bucket& bucket = buckets_[rights::bucket_of(id)];
  const auto found = bucket.find(id);
  return found == bucket.end() ? nullptr : &found->second;
}

bool ReplicaTable::put(const ReplicaRecord& record) {
  Bucket& bucket = buckets_[rights::bucket_of(record.id)];
  const auto found = bucket.find(record.id);
  if (found != bucket.end() && found->second.mod_revision >= record.mod_revision) return false;
  store(bucket, record);
  return true;
}

bool ReplicaTable::erase(const EntitlementId& id, Revision revision) {
  Bucket& bucket = buckets_[rights::bucket_of(id)];
  const auto found = bucket.find(id);
  if (found == bucket.end() || found->second.mod_revision >= revision) return false;
  remove(bucket, found);
  return true;
}

std::vector<EntitlementId> ReplicaTable::merge_bucket(std::size_t number, std::span<const ReplicaRecord> records,
                                                      Revision end) {
  std::vector<EntitlementId> changed;
  std::unordered_set<EntitlementId, EntitlementIdHash> told;
  Bucket& bucket = buckets_[number];
  for (const ReplicaRecord& record : records) {
    CHECK(rights::bucket_of(record.id) == number);
    told.insert(record.id);
    const auto found = bucket.find(record.id);
    if (found != bucket.end()) {
      const Entry& ours = found->second;
      if (ours.mod_revision > record.mod_revision) continue;
      if (ours.mod_revision == record.mod_revision && ours.record == record.record) continue;
    }
    store(bucket, record);
    changed.push_back(record.id);
  }
  for (auto entry = bucket.begin(); entry != bucket.end();) {
    const auto next = std::next(entry);
    if (!told.contains(entry->first) && entry->second.mod_revision <= end) {
      changed.push_back(entry->first);
      remove(bucket, entry);
    }
    entry = next;
  }
  return changed;
}

void ReplicaTable::append_bucket(std::size_t bucket, std::vector<ReplicaRecord>& to) const {
  for (const auto& [id, entry] : buckets_[bucket]) to.push_back({id, entry.mod_revision, entry.record});
}

void ReplicaTable::store(Bucket& bucket, const ReplicaRecord& record) {
  const auto [entry, is_new] = bucket.try_emplace(record.id);
  if (is_new) {
    ++size_;
  } else {
    digest_.remove(record.id, entry->second.record, entry->second.mod_revision);
  }
  entry->second = {record.record, record.mod_revision};
  digest_.add(record.id, record.record, record.mod_revision);
}

void ReplicaTable::remove(Bucket& bucket, Bucket::iterator entry) {
  digest_.remove(entry->first, entry->second.record, entry->second.mod_revision);
  bucket.erase(entry);
  --size_;
}

}  // namespace reelway::edge
