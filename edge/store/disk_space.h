#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "edge/store/extent_allocator.h"
#include "edge/store/object.h"

namespace reelway::edge {

class DiskSpace;

// What of a stored object a purge must know without reading its record.
struct PurgeMarks {
  std::uint64_t epoch = 0;
  std::vector<std::uint64_t> tag_hashes;

  static PurgeMarks of(const ObjectMeta& meta);
};

// Where one stored body lies, held by all who depend on the bytes staying there: the index while it is findable, a
// load while it reads, a removal until the record is gone from RocksDB. The extents become free when the last of
// them lets go: so no slot is reused while a record names it or a read is under way.
class StoredPlace {
 public:
  StoredPlace(DiskSpace& space, std::uint64_t sequence, std::vector<Extent> extents, PurgeMarks marks)
      : space_(space), sequence_(sequence), extents_(std::move(extents)), marks_(std::move(marks)) {}
  ~StoredPlace();
  StoredPlace(const StoredPlace&) = delete;
  StoredPlace& operator=(const StoredPlace&) = delete;

  std::uint64_t sequence() const { return sequence_; }
  const std::vector<Extent>& extents() const { return extents_; }
  bool is_inline() const { return extents_.empty(); }
  std::uint64_t bytes() const;
  const PurgeMarks& marks() const { return marks_; }
  void set_marks(PurgeMarks marks) { marks_ = std::move(marks); }

  // It has left the index: its space comes free soon.
  void leaving();
  bool is_leaving() const { return is_leaving_; }

 private:
  DiskSpace& space_;
  std::uint64_t sequence_;
  std::vector<Extent> extents_;
  PurgeMarks marks_;
  bool is_leaving_ = false;
};

// The space in the slab files, and how much of it is about to become free.
class DiskSpace {
 public:
  ExtentAllocator& allocator() { return allocator_; }
  const ExtentAllocator& allocator() const { return allocator_; }
  std::uint64_t leaving_bytes() const { return leaving_bytes_; }
  // What can be allocated once all that leaves has left.
  std::uint64_t coming_bytes() const { return allocator_.free_bytes() + leaving_bytes_; }
  // Called after each place that has come free.
  void on_freed(std::function<void()> freed) { freed_ = std::move(freed); }

 private:
  friend class StoredPlace;

  ExtentAllocator allocator_;
  std::uint64_t leaving_bytes_ = 0;
  std::function<void()> freed_;
};

}  // namespace reelway::edge
