#include "edge/store/extent_allocator.h"

#include <algorithm>

#include "common/base/check.h"

// Model: a buddy allocator. Space is in megabyte units; a unit is free as one block or split into halves, down to
// 64 KiB. Two free halves of one block become that block again.

namespace reelway::edge {
namespace {

constexpr std::uint32_t granules(std::uint8_t order) {
  return 1u << order;
}

std::uint8_t fitting_order(std::uint64_t bytes) {
  std::uint8_t order = 0;
  while ((Extent::kGranuleBytes << order) < bytes) ++order;
  return order;
}

}  // namespace

void ExtentAllocator::grow(std::uint64_t bytes) {
  CHECK(bytes % Extent::kBytesMax == 0);
  for (std::uint64_t end = capacity_bytes_ + bytes; capacity_bytes_ < end; capacity_bytes_ += Extent::kBytesMax) {
    add_free({static_cast<std::uint32_t>(capacity_bytes_ / Extent::kGranuleBytes), Extent::kOrderMax});
  }
}

std::uint64_t ExtentAllocator::footprint(std::uint64_t body_bytes) {
  const std::uint64_t tail = body_bytes % Extent::kBytesMax;
  return body_bytes - tail + (tail > 0 ? Extent::kGranuleBytes << fitting_order(tail) : 0);
}

std::optional<std::vector<Extent>> ExtentAllocator::allocate(std::uint64_t body_bytes) {
  if (footprint(body_bytes) > free_bytes_) return std::nullopt;
  std::vector<Extent> taken;
  for (std::uint64_t at = 0; at < body_bytes; at += Extent::kBytesMax) {
    take(fitting_order(std::min(body_bytes - at, Extent::kBytesMax)), taken);
  }
  // A tail made of smaller blocks may need fewer of them than its class holds.
  std::uint64_t held = 0;
  for (const Extent& extent : taken) held += extent.bytes();
  while (!taken.empty() && held - taken.back().bytes() >= body_bytes) {
    held -= taken.back().bytes();
    free(taken.back());
    taken.pop_back();
  }
  return taken;
}

// Free bytes suffice, as the caller has checked; so when no block of this order or a larger one is left, the smaller
// ones add up to it.
void ExtentAllocator::take(std::uint8_t order, std::vector<Extent>& taken) {
  std::uint8_t from = order;
  while (from <= Extent::kOrderMax && free_[from].empty()) ++from;
  if (from > Extent::kOrderMax) {
    CHECK(order > 0);
    take(order - 1, taken);
    take(order - 1, taken);
    return;
  }
  const std::uint32_t granule = *free_[from].begin();
  free_[from].erase(free_[from].begin());
  for (; from > order; --from) free_[from - 1].insert(granule + granules(from - 1));
  taken.push_back({granule, order});
  free_bytes_ -= taken.back().bytes();
}

bool ExtentAllocator::claim(const Extent& extent) {
  if (extent.order > Extent::kOrderMax || extent.granule % granules(extent.order) != 0) return false;
  for (std::uint8_t order = extent.order; order <= Extent::kOrderMax; ++order) {
    const std::uint32_t start = extent.granule / granules(order) * granules(order);
    if (free_[order].erase(start) == 0) continue;
    // Split down to the wished block; the other half of each split stays free.
    std::uint32_t within = start;
    for (std::uint8_t half = order; half-- > extent.order;) {
      const bool in_upper = extent.granule >= within + granules(half);
      free_[half].insert(in_upper ? within : within + granules(half));
      if (in_upper) within += granules(half);
    }
    free_bytes_ -= extent.bytes();
    return true;
  }
  return false;
}

void ExtentAllocator::free(const Extent& extent) {
  add_free(extent);
}

void ExtentAllocator::add_free(Extent extent) {
  free_bytes_ += extent.bytes();
  while (extent.order < Extent::kOrderMax) {
    const std::uint32_t buddy = extent.granule ^ granules(extent.order);
    if (free_[extent.order].erase(buddy) == 0) break;
    extent.granule = std::min(extent.granule, buddy);
    ++extent.order;
  }
  const bool is_new = free_[extent.order].insert(extent.granule).second;
  CHECK(is_new);
}

}  // namespace reelway::edge
