#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <unordered_map>
#include <vector>

#include "common/rights/replica_frames.h"
#include "common/rights/state_digest.h"

namespace reelway::edge {

// An id is random, so any part of it would do but the bits that chose the bucket.
struct EntitlementIdHash {
  std::size_t operator()(const rights::EntitlementId& id) const noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, id.data() + id.size() - sizeof word, sizeof word);
    return word;
  }
};

// What a replica knows: entitlement -> record and the revision of its last change, with the digest over all of it.
// Changes are taken in any order and any number of times: the higher revision stays. One thread.
//
// One hash map for each bucket of the digest. So a bucket can be listed alone, for a repair and for writing the whole
// table bit by bit, and growing moves a few thousand records at a time, never ten million. About 90 bytes a record.
class ReplicaTable {
 public:
  struct Entry {
    rights::Record record;
    rights::Revision mod_revision = 0;
  };

  ReplicaTable() : buckets_(rights::kBuckets) {}

  // Valid until the next change; does not allocate.
  const Entry* find(const rights::EntitlementId& id) const;
  // False when what is there is as new or newer: nothing has changed then.
  bool put(const rights::ReplicaRecord& record);
  bool erase(const rights::EntitlementId& id, rights::Revision revision);
  // Makes the bucket what an origin says it is as of `end`: takes what is newer or differs at the same revision, drops
  // what the origin no longer has. What is newer here stays. All records must be of this bucket. Returns what changed.
  std::vector<rights::EntitlementId> merge_bucket(std::size_t bucket, std::span<const rights::ReplicaRecord> records,
                                                  rights::Revision end);
  void append_bucket(std::size_t bucket, std::vector<rights::ReplicaRecord>& to) const;

  std::size_t size() const { return size_; }
  const rights::Sum128& root() const { return digest_.root(); }
  const std::vector<rights::Sum128>& bucket_sums() const { return digest_.buckets(); }

 private:
  using Bucket = std::unordered_map<rights::EntitlementId, Entry, EntitlementIdHash>;

  void store(Bucket& bucket, const rights::ReplicaRecord& record);
  void remove(Bucket& bucket, Bucket::iterator entry);

  std::vector<Bucket> buckets_;
  rights::StateDigest digest_;
  std::size_t size_ = 0;
};

}  // namespace reelway::edge
