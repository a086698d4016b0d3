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
  static constexpr std::uint8_t kFormat = 3;  // formats 1 and 2 are still read

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

// What a start keeps of a record in memory; the same checks as decode_record(), at a fraction of its cost.
struct RecordSummary {
  std::uint64_t sequence = 0;
  std::uint64_t body_bytes = 0;
  std::uint64_t purge_epoch = 0;
  bool is_inline = false;
  std::vector<StoredExtent> extents;
  std::vector<std::string_view> tags;  // into the record's bytes
};
// False, with `summary` undefined, where decode_record() has none. `summary` may be used again, to spare allocations.
bool summarize_record(std::string_view key, ByteView bytes, RecordSummary& summary);

}  // namespace reelway::edge
