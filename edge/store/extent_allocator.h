#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace reelway::edge {

// A block of the slab files' common address space: 64 KiB << order bytes at a multiple of its own length, so it never
// crosses a 1 MiB boundary.
struct Extent {
  std::uint32_t granule = 0;  // position in units of 64 KiB
  std::uint8_t order = 0;     // 0 to 4: 64 KiB to 1 MiB

  static constexpr std::uint64_t kGranuleBytes = 64 * 1024;
  static constexpr std::uint8_t kOrderMax = 4;
  static constexpr std::uint64_t kBytesMax = kGranuleBytes << kOrderMax;

  std::uint64_t offset() const { return granule * kGranuleBytes; }
  std::uint64_t bytes() const { return kGranuleBytes << order; }
  bool operator==(const Extent&) const = default;
};

// Which parts of the slab files are free. Pure. Gives the lowest block that fits, so that files fill from the front
// and a run's choices can be repeated.
class ExtentAllocator {
 public:
  // Adds the space from capacity_bytes() on; whole megabytes.
  void grow(std::uint64_t bytes);

  // What a body takes: its whole megabytes and one block of the fitting class for the rest.
  static std::uint64_t footprint(std::uint64_t body_bytes);
  // Blocks that hold the body in order: whenever footprint(body) bytes are free. Where no block of the wished class
  // is left, two of the class below stand for it, so freedom in pieces is never a reason to evict more.
  std::optional<std::vector<Extent>> allocate(std::uint64_t body_bytes);

  // Takes this very block: for blocks found in records at a restart. False when any of it is taken or out of range.
  bool claim(const Extent& extent);
  void free(const Extent& extent);

  std::uint64_t capacity_bytes() const { return capacity_bytes_; }
  std::uint64_t free_bytes() const { return free_bytes_; }
  std::uint64_t used_bytes() const { return capacity_bytes_ - free_bytes_; }

 private:
  void take(std::uint8_t order, std::vector<Extent>& taken);
  void add_free(Extent extent);

  std::array<std::set<std::uint32_t>, Extent::kOrderMax + 1> free_;  // granules, by order
  std::uint64_t capacity_bytes_ = 0;
  std::uint64_t free_bytes_ = 0;
};

}  // namespace reelway::edge
