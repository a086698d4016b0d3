#include "edge/store/disk_recovery.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "edge/store/disk_record.h"
#include "edge/store/purge_rules.h"

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
  bool is_gone = false;
  std::vector<Extent> extents;
  PurgeMarks marks;
};

Candidate candidate_of(std::string_view key, const RecordSummary& record, std::size_t record_bytes) {
  Candidate candidate;
  candidate.key = key;
  candidate.sequence = record.sequence;
  candidate.is_inline = record.is_inline;
  candidate.marks.epoch = record.purge_epoch;
  for (const std::string_view tag : record.tags) candidate.marks.tag_hashes.push_back(tag_hash(tag));
  candidate.extents.reserve(record.extents.size());
  for (const StoredExtent& part : record.extents) {
    candidate.extents.push_back(part.extent);
    candidate.weight += part.extent.bytes();
  }
  if (record.is_inline) candidate.weight = record_bytes + record.body_bytes;
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

Result<std::vector<Candidate>> scan(const RecordIndex& records, const std::atomic<bool>& stop, Recovered& recovered) {
  std::vector<Candidate> candidates;
  RecordSummary summary;
  REELWAY_TRY(records.for_each([&](std::string_view key, ByteView bytes) {
    if (summarize_record(key, bytes, summary)) {
      candidates.push_back(candidate_of(key, summary, bytes.size()));
    } else {
      recovered.to_remove.emplace_back(key);
    }
    return !stop;
  }));
  if (stop) return Error{ErrorCode::shutting_down, Side::self, true, "the store closes"};
  recovered.untrue = recovered.to_remove.size();
  return candidates;
}

// Places of the candidates, youngest first: sorting these moves less than sorting the candidates.
std::vector<std::uint32_t> youngest_first(const std::vector<Candidate>& candidates) {
  std::vector<std::uint32_t> order(candidates.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return candidates[a].sequence > candidates[b].sequence; });
  return order;
}

void refuse_untrue_and_surplus(std::vector<Candidate>& candidates, const std::vector<std::uint32_t>& order,
                               const SlabFiles& slabs, Recovered& recovered) {
  std::uint64_t inline_bytes = 0;
  for (const std::uint32_t at : order) {
    Candidate& candidate = candidates[at];
    const bool has_room = inline_bytes + candidate.weight <= recovered.index.inline_budget_bytes();
    if (candidate.is_inline ? has_room : claim(candidate, slabs, recovered.allocator)) {
      if (candidate.is_inline) inline_bytes += candidate.weight;
      continue;
    }
    candidate.is_gone = true;
    const bool is_surplus = candidate.is_inline || is_beyond(candidate, slabs.capacity_bytes());
    ++(is_surplus ? recovered.surplus : recovered.untrue);
    recovered.to_remove.push_back(candidate.key);
  }
}

}  // namespace

Result<Recovered> recover(const RecordIndex& records, const SlabFiles& slabs, DiskSpace& space, DiskIndex empty_index,
                          const std::atomic<bool>& stop) {
  Recovered recovered{.index = std::move(empty_index)};
  recovered.allocator.grow(slabs.ready_bytes());
  auto scanned = scan(records, stop, recovered);
  if (!scanned) return std::move(scanned).error();
  std::vector<Candidate>& candidates = *scanned;
  const std::vector<std::uint32_t> order = youngest_first(candidates);
  if (!order.empty()) recovered.next_sequence = candidates[order.front()].sequence + 1;
  refuse_untrue_and_surplus(candidates, order, slabs, recovered);
  const auto inlined = std::count_if(candidates.begin(), candidates.end(), [](const auto& c) { return c.is_inline; });
  recovered.index.reserve(candidates.size() - static_cast<std::size_t>(inlined), static_cast<std::size_t>(inlined));
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    Candidate& candidate = candidates[*at];
    recovered.purge_epoch_max = std::max(recovered.purge_epoch_max, candidate.marks.epoch);
    if (candidate.is_gone) continue;
    ++recovered.objects;
    auto place = std::make_shared<StoredPlace>(space, candidate.sequence, std::move(candidate.extents),
                                               std::move(candidate.marks));
    recovered.index.restore(std::move(candidate.key), candidate.weight, std::move(place));
  }
  return recovered;
}

}  // namespace reelway::edge
