#include "origin/fleet/rights_table.h"

#include <algorithm>

namespace reelway::origin {
namespace {

using rights::EntitlementId;
using rights::ReplicaRecord;

bool by_id(const ReplicaRecord& a, const ReplicaRecord& b) {
  return a.id < b.id;
}

template <class Records>
auto place_of(Records& records, const EntitlementId& id) {
  return std::lower_bound(records.begin(), records.end(), id,
                          [](const ReplicaRecord& record, const EntitlementId& wanted) { return record.id < wanted; });
}

}  // namespace

void RightsTable::append(const ReplicaRecord& record) {
  buckets_[rights::bucket_of(record.id)].push_back(record);
  digest_.add(record.id, record.record, record.mod_revision);
  ++size_;
}

void RightsTable::finish() {
  for (Bucket& bucket : buckets_) std::sort(bucket.begin(), bucket.end(), by_id);
}

void RightsTable::put(const EntitlementId& id, const rights::Record& record, rights::Revision revision) {
  Bucket& bucket = buckets_[rights::bucket_of(id)];
  const auto place = place_of(bucket, id);
  if (place != bucket.end() && place->id == id) {
    if (place->mod_revision >= revision) return;
    digest_.remove(id, place->record, place->mod_revision);
    *place = {id, revision, record};
  } else {
    bucket.insert(place, {id, revision, record});
    ++size_;
  }
  digest_.add(id, record, revision);
}

void RightsTable::erase(const EntitlementId& id, rights::Revision revision) {
  Bucket& bucket = buckets_[rights::bucket_of(id)];
  const auto place = place_of(bucket, id);
  if (place == bucket.end() || place->id != id || place->mod_revision >= revision) return;
  digest_.remove(id, place->record, place->mod_revision);
  bucket.erase(place);
  --size_;
}

const ReplicaRecord* RightsTable::find(const EntitlementId& id) const {
  const Bucket& bucket = buckets_[rights::bucket_of(id)];
  const auto place = place_of(bucket, id);
  return place != bucket.end() && place->id == id ? &*place : nullptr;
}

}  // namespace reelway::origin
