#include "edge/store/disk_space.h"

#include "common/base/check.h"
#include "edge/store/purge_rules.h"

namespace reelway::edge {

PurgeMarks PurgeMarks::of(const ObjectMeta& meta) {
  PurgeMarks marks;
  marks.epoch = meta.purge_epoch;
  marks.tag_hashes.reserve(meta.tags.size());
  for (const std::string& tag : meta.tags) marks.tag_hashes.push_back(tag_hash(tag));
  return marks;
}

StoredPlace::~StoredPlace() {
  if (is_inline()) return;
  if (is_leaving_) {
    CHECK(space_.leaving_bytes_ >= bytes());
    space_.leaving_bytes_ -= bytes();
  }
  for (const Extent& extent : extents_) space_.allocator_.free(extent);
  if (space_.freed_) space_.freed_();
}

std::uint64_t StoredPlace::bytes() const {
  std::uint64_t bytes = 0;
  for (const Extent& extent : extents_) bytes += extent.bytes();
  return bytes;
}

void StoredPlace::leaving() {
  if (is_leaving_) return;
  is_leaving_ = true;
  space_.leaving_bytes_ += bytes();
}

}  // namespace reelway::edge
