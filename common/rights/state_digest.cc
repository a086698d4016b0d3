#include "common/rights/state_digest.h"

#include <cstdio>

namespace reelway::rights {
namespace {

constexpr SipKey kDigestKey{0x7265656c77617921, 1};  // fixed, so that every origin and edge agree

}  // namespace

void Sum128::add(const Hash128& hash) {
  low += hash.low;
  high += hash.high + (low < hash.low ? 1 : 0);
}

void Sum128::subtract(const Hash128& hash) {
  const std::uint64_t borrow = low < hash.low ? 1 : 0;
  low -= hash.low;
  high -= hash.high + borrow;
}

std::string hex_text(const Sum128& sum) {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(sum.high),
                static_cast<unsigned long long>(sum.low));
  return text;
}

std::size_t bucket_of(const EntitlementId& id) {
  return std::size_t{id[0]} << 4 | id[1] >> 4;
}

Hash128 record_hash(const EntitlementId& id, const Record& record, std::int64_t mod_revision) {
  ByteWriter writer;
  writer.append(id);
  writer.append(encode(record));
  writer.i64(mod_revision);
  return siphash128(kDigestKey, writer.bytes());
}

void StateDigest::add(const EntitlementId& id, const Record& record, std::int64_t mod_revision) {
  const Hash128 hash = record_hash(id, record, mod_revision);
  root_.add(hash);
  buckets_[bucket_of(id)].add(hash);
}

void StateDigest::remove(const EntitlementId& id, const Record& record, std::int64_t mod_revision) {
  const Hash128 hash = record_hash(id, record, mod_revision);
  root_.subtract(hash);
  buckets_[bucket_of(id)].subtract(hash);
}

}  // namespace reelway::rights
