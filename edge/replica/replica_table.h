#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <unordered_set>
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

// Ids of the marks of titles that were taken off.
using WithdrawnTitles = std::unordered_set<rights::EntitlementId, EntitlementIdHash>;

// What a replica knows: entitlement -> record and the revision of its last change, with the digest over all of it.
// Changes are taken in any order and any number of times: the higher revision stays. One thread.
//
// One hash table for each bucket of the digest. So a bucket can be listed alone, for a repair and for writing the whole
// table bit by bit, and growing moves a few thousand records at a time, never ten million. The tables are open, the
// records lie in them: a look-up, which is made for every request, touches two places of memory. About 110 bytes a
// record.
class ReplicaTable {
 public:
  struct Entry {
    rights::Record record;
    rights::Revision mod_revision = 0;
  };

  ReplicaTable() : buckets_(rights::kBuckets), taken_(rights::kBuckets) {}

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

  // Of the records that are here; and how often that has changed.
  const WithdrawnTitles& withdrawn() const { return withdrawn_; }
  std::uint64_t withdrawals() const { return withdrawals_; }

  std::size_t size() const { return size_; }
  const rights::Sum128& root() const { return digest_.root(); }
  const std::vector<rights::Sum128>& bucket_sums() const { return digest_.buckets(); }

 private:
  struct Slot {
    rights::EntitlementId id{};
    Entry entry;
    bool taken = false;
  };
  using Bucket = std::vector<Slot>;  // empty, or a power of two of slots of which at most three in four are taken

  static std::size_t home(const Bucket& bucket, const rights::EntitlementId& id);
  static std::size_t find_slot(const Bucket& bucket, const rights::EntitlementId& id);  // the id's, or a free one
  static const Entry* find_in(const Bucket& bucket, const rights::EntitlementId& id);
  static void free_slot(Bucket& bucket, std::size_t slot);
  void store(std::size_t bucket, const rights::ReplicaRecord& record);
  void make_room(std::size_t bucket);
  void remove(std::size_t bucket, const rights::EntitlementId& id);
  void note_withdrawn(const rights::EntitlementId& id, bool withdrawn);

  std::vector<Bucket> buckets_;
  std::vector<std::uint32_t> taken_;  // slots, by bucket
  rights::StateDigest digest_;
  std::size_t size_ = 0;
  WithdrawnTitles withdrawn_;
  std::uint64_t withdrawals_ = 0;
};

}  // namespace reelway::edge
