#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "edge/store/extent_allocator.h"
#include "edge/store/object.h"

namespace reelway::edge {

// A part of a body in one extent, with its own sum, so that each part can be served after its own check.
struct StoredExtent {
  Extent extent;
  std::uint32_t bytes = 0;
  std::uint32_t crc32c = 0;
};

// The record of one stored object; docs/formats/edge_store.md has its layout. meta.length and meta.crc32c are set.
struct DiskRecord {
  static constexpr std::uint8_t kFormat = 2;  // format 1 is still read

  std::uint64_t sequence = 0;  // rises with each record written: tells old from new after a crash
  ObjectMeta meta;
  bool is_inline = false;  // the body stands beside the record, not in extents
  std::vector<StoredExtent> extents;
};

Bytes encode_record(const DiskRecord& record);

// Other metadata for the body of a record, as after a 304: key, status, length and sum stay.
void freshen_record(DiskRecord& record, ObjectMeta meta);

// nullopt unless everything fits together: the record's own sum, its format, that it is the record of this key, and
// that its extents are possible, add up to the length and their sums to the body's sum.
std::optional<DiskRecord> decode_record(std::string_view key, ByteView bytes);

}  // namespace reelway::edge
