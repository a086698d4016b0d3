#include "edge/store/disk_recovery.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "edge/store/disk_record.h"

// Model: of two records that name the same slot the one with the higher sequence is true: its bytes were written
// later. (Both can exist after a loss of power, when the removal of the older one was lost.) So slots are claimed
// from the youngest record back. What was stored first stands nearest to eviction again.

namespace reelway::edge {
namespace {

struct Candidate {
  std::string key;
  std::uint64_t sequence = 0;
  std::uint64_t weight = 0;
  bool is_inline = false;
  std::vector<Extent> extents;
  PurgeMarks marks;
};

Candidate candidate_of(const DiskRecord& record, std::size_t record_bytes) {
  Candidate candidate;
  candidate.key = record.meta.key;
  candidate.sequence = record.sequence;
  candidate.is_inline = record.is_inline;
  candidate.marks = PurgeMarks::of(record.meta);
  for (const StoredExtent& part : record.extents) {
    candidate.extents.push_back(part.extent);
    candidate.weight += part.extent.bytes();
  }
  if (record.is_inline) candidate.weight = record_bytes + record.meta.length.value_or(0);
  return candidate;
}

bool is_beyond(const Candidate& candidate, std::uint64_t capacity_bytes) {
  return std::any_of(candidate.extents.begin(), candidate.extents.end(), [capacity_bytes](const Extent& extent) {
    return extent.offset() + extent.bytes() > capacity_bytes;
  });
}

// All of the extents or none.
bool claim(const Candidate& candidate, const SlabFiles& slabs, ExtentAllocator& allocator) {
  for (std::size_t i = 0; i < candidate.extents.size(); ++i) {
    const Extent& extent = candidate.extents[i];
    if (slabs.was_found(extent) && allocator.claim(extent)) continue;
    for (std::size_t back = 0; back < i; ++back) allocator.free(candidate.extents[back]);
    return false;
  }
  return true;
}

class Removals {
 public:
  explicit Removals(RecordIndex& records) : records_(records) {}
  void add(std::string key) { changes_.push_back({std::move(key), std::nullopt, std::nullopt, true}); }
  std::size_t count() const { return changes_.size(); }
  Result<void> apply() {
    constexpr std::size_t kBatchMax = 1024;
    for (std::size_t at = 0; at < changes_.size(); at += kBatchMax) {
      REELWAY_TRY(records_.apply(std::span(changes_).subspan(at, std::min(kBatchMax, changes_.size() - at))));
    }
    return {};
  }

 private:
  RecordIndex& records_;
  std::vector<RecordIndex::Change> changes_;
};

}  // namespace

Result<Recovered> recover(RecordIndex& records, const SlabFiles& slabs, DiskSpace& space, DiskIndex& index) {
  space.allocator().grow(slabs.ready_bytes());
  Removals removals(records);
  std::vector<Candidate> candidates;
  REELWAY_TRY(records.for_each([&](std::string_view key, ByteView bytes) {
    if (const auto record = decode_record(key, bytes)) {
      candidates.push_back(candidate_of(*record, bytes.size()));
    } else {
      removals.add(std::string(key));
    }
  }));
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.sequence > b.sequence; });
  Recovered recovered;
  if (!candidates.empty()) recovered.next_sequence = candidates.front().sequence + 1;
  std::uint64_t inline_bytes = 0;
  const auto gone = std::stable_partition(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
    if (!candidate.is_inline) return claim(candidate, slabs, space.allocator());
    if (inline_bytes + candidate.weight > index.inline_budget_bytes()) return false;
    inline_bytes += candidate.weight;
    return true;
  });
  recovered.untrue = removals.count();
  for (auto at = gone; at != candidates.end(); ++at) {
    const bool is_surplus = at->is_inline || is_beyond(*at, slabs.capacity_bytes());
    ++(is_surplus ? recovered.surplus : recovered.untrue);
    removals.add(std::move(at->key));
  }
  recovered.objects = static_cast<std::uint64_t>(gone - candidates.begin());
  for (auto at = gone; at != candidates.begin();) {
    --at;
    index.restore(at->key, at->weight,
                  std::make_shared<StoredPlace>(space, at->sequence, std::move(at->extents), std::move(at->marks)));
  }
  REELWAY_TRY(removals.apply());
  return recovered;
}

}  // namespace reelway::edge
