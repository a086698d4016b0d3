#pragma once

#include <cstddef>
#include <vector>

#include "common/rights/replica_frames.h"
#include "common/rights/state_digest.h"

namespace reelway::origin {

// The records that edges copy, by bucket and within it by id, with the digest over them. Revisions make every change
// idempotent: one that is not newer than what is held changes nothing. Not thread-safe.
class RightsTable {
 public:
  using Bucket = std::vector<rights::ReplicaRecord>;  // by id

  RightsTable() : buckets_(rights::kBuckets) {}

  // For loading: append() in any order, each id once; then finish() before anything else.
  void append(const rights::ReplicaRecord& record);
  void finish();

  void put(const rights::EntitlementId& id, const rights::Record& record, rights::Revision revision);
  void erase(const rights::EntitlementId& id, rights::Revision revision);

  const rights::ReplicaRecord* find(const rights::EntitlementId& id) const;  // valid until the next change
  const Bucket& bucket(std::size_t number) const { return buckets_[number]; }
  const rights::StateDigest& digest() const { return digest_; }
  std::size_t size() const { return size_; }

 private:
  // About ten million records make buckets of 2,500: a change moves some tens of kilobytes at most.
  std::vector<Bucket> buckets_;
  rights::StateDigest digest_;
  std::size_t size_ = 0;
};

}  // namespace reelway::origin
