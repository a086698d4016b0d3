#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/siphash.h"
#include "common/rights/entitlement.h"

// A sum over all live records, the same at origin and edge whenever they hold the same records at the same revisions,
// however they got there (design: a digest of the state, independent of history). It guards against accident, not
// against people: the channel does that. Pure.

namespace reelway::rights {

// Sum modulo 2^128 of the records' hashes.
struct Sum128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  void add(const Hash128& hash);
  void subtract(const Hash128& hash);
  bool operator==(const Sum128&) const = default;
};
std::string hex_text(const Sum128& sum);  // 32 hex digits, high word first

inline constexpr std::size_t kBuckets = 4096;
std::size_t bucket_of(const EntitlementId& id);  // 0 to kBuckets - 1: the id's first twelve bits
// Of one record as it stands at the revision of its last change.
Hash128 record_hash(const EntitlementId& id, const Record& record, std::int64_t mod_revision);

class StateDigest {
 public:
  StateDigest() : buckets_(kBuckets) {}

  void add(const EntitlementId& id, const Record& record, std::int64_t mod_revision);
  void remove(const EntitlementId& id, const Record& record, std::int64_t mod_revision);
  const Sum128& root() const { return root_; }
  const std::vector<Sum128>& buckets() const { return buckets_; }

 private:
  Sum128 root_;
  std::vector<Sum128> buckets_;
};

}  // namespace reelway::rights
