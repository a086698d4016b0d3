#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "edge/store/extent_allocator.h"

namespace reelway::edge {

// The files that bodies lie in: <directory>/<number>.slab, kSlabBytes each (the last one may be shorter), allocated
// in full when they are made. Extents address them as one space.
class SlabFiles {
 public:
  static constexpr std::uint64_t kSlabBytes = 64ull << 20;

  struct Place {
    int fd = -1;
    std::uint64_t offset = 0;
  };
  // A slab file made or opened beside the ring.
  struct Opened {
    UniqueFd fd;
    bool is_direct = false;
    std::uint64_t found_bytes = 0;  // its length before it was brought to full length
  };

  // `capacity_bytes`: whole megabytes that all files may take together. Opens the files that are there without a gap
  // from 0 on, makes good what is missing of them, and removes those beyond the capacity.
  static Result<SlabFiles> open(std::string directory, std::uint64_t capacity_bytes);

  std::uint64_t capacity_bytes() const { return capacity_bytes_; }
  std::uint64_t ready_bytes() const;  // of the files that exist
  // Whether the bytes of the extent were on disk when open() found the files.
  bool was_found(const Extent& extent) const;
  Place locate(const Extent& extent) const;
  bool is_direct() const { return is_direct_; }

  // The next file, for a thread beside the ring: blocks. Then add() it on the ring's thread.
  struct Next {
    std::string path;
    std::uint64_t bytes = 0;  // 0: the capacity is reached
  };
  Next next() const;
  static Result<Opened> make(const Next& next);
  void add(Opened opened);

 private:
  SlabFiles(std::string directory, std::uint64_t capacity_bytes);
  Next describe_file(std::size_t number) const;
  Result<void> remove_surplus() const;

  std::string directory_;
  std::uint64_t capacity_bytes_;
  bool is_direct_ = true;
  std::vector<UniqueFd> files_;
  std::vector<std::uint64_t> found_bytes_;  // of each file
};

}  // namespace reelway::edge
