#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/ingest/sha256.h"
#include "origin/storage/checked_unit.h"

namespace reelway::origin {

// What a file's bytes should be.
struct FileSums {
  std::optional<std::uint64_t> bytes;
  std::string sha256;              // of the whole; empty: unknown
  std::vector<CheckedUnit> units;  // of a track, in order
};

struct FileFault {
  std::uint64_t offset = 0;  // of the first run that is wrong
  std::uint64_t bytes = 0;
  std::uint64_t places = 0;  // runs that are wrong
  std::string detail;
};

// Compares a file's bytes, which come in order and in pieces, with what they should be. It can go on in another process
// where it stood at the last boundary: there no unit is half read. Pure.
class FileCheck {
 public:
  explicit FileCheck(FileSums sums) : FileCheck(std::move(sums), Sha256::Midstate{}) {}
  // What is before `from.bytes` was right.
  FileCheck(FileSums sums, const Sha256::Midstate& from);

  void add(ByteView bytes);
  // Nothing has been found yet, and this is a place to go on from.
  bool is_boundary() const { return !fault_ && (unit_ == sums_.units.size() || !within_unit_); }
  const Sha256::Midstate& midstate() const { return sum_.midstate(); }

  // After the last byte.
  std::optional<FileFault> finish();
  std::string sha256() const { return sum_.finish(); }

 private:
  void add_to_units(ByteView bytes);
  void fault(std::uint64_t offset, std::uint64_t bytes, std::string detail);

  FileSums sums_;
  Sha256 sum_;
  std::uint64_t at_ = 0;  // of the next byte
  std::size_t unit_ = 0;  // that holds it, or that comes next
  std::uint32_t unit_crc_ = 0;
  bool within_unit_ = false;
  std::optional<FileFault> fault_;
};

// The sums of a track's units, from its index. index_malformed, not_found_on_disk, io_failed.
Result<std::vector<CheckedUnit>> units_of_index(const std::string& index_path);

}  // namespace reelway::origin
