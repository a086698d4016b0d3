#include "origin/storage/file_check.h"

#include <algorithm>

#include "common/base/crc32c.h"
#include "origin/catalog/published_version.h"
#include "origin/mp4/track_index.h"

namespace reelway::origin {
namespace {

constexpr std::uint64_t kIndexBytesMax = 256ull << 20;  // as the catalogue reads it

}  // namespace

FileCheck::FileCheck(FileSums sums, const Sha256::Midstate& from) : sums_(std::move(sums)), sum_(from) {
  at_ = from.bytes;
  while (unit_ < sums_.units.size() && sums_.units[unit_].offset < at_) ++unit_;
}

void FileCheck::add(ByteView bytes) {
  sum_.add(bytes);
  add_to_units(bytes);
}

void FileCheck::add_to_units(ByteView bytes) {
  while (!bytes.empty()) {
    if (unit_ == sums_.units.size()) {
      at_ += bytes.size();
      return;
    }
    const CheckedUnit& unit = sums_.units[unit_];
    if (at_ < unit.offset) {
      const auto gap = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), unit.offset - at_));
      bytes = bytes.subspan(gap);
      at_ += gap;
      continue;
    }
    const std::uint64_t left = unit.offset + unit.bytes - at_;
    const ByteView part = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left)));
    unit_crc_ = crc32c(part, unit_crc_);
    at_ += part.size();
    bytes = bytes.subspan(part.size());
    within_unit_ = part.size() < left;
    if (within_unit_) continue;
    if (unit_crc_ != unit.crc32c) {
      fault(unit.offset, unit.bytes, "unit " + std::to_string(unit_) + " has another checksum than the index says");
    }
    unit_crc_ = 0;
    ++unit_;
  }
}

void FileCheck::fault(std::uint64_t offset, std::uint64_t bytes, std::string detail) {
  if (!fault_) fault_ = FileFault{offset, bytes, 0, std::move(detail)};
  ++fault_->places;
}

std::optional<FileFault> FileCheck::finish() {
  if (fault_) return fault_;
  if (sums_.bytes && at_ != *sums_.bytes) {
    fault(std::min(at_, *sums_.bytes), 0,
          "it has " + std::to_string(at_) + " bytes instead of " + std::to_string(*sums_.bytes));
  } else if (unit_ < sums_.units.size()) {
    fault(at_, 0, "it ends within or before unit " + std::to_string(unit_));
  } else if (!sums_.sha256.empty() && sha256() != sums_.sha256) {
    const bool has_units = !sums_.units.empty();
    fault(0, at_, has_units ? "its SHA-256 is another, outside of the units" : "its SHA-256 is not " + sums_.sha256);
  }
  return fault_;
}

Result<std::vector<CheckedUnit>> units_of_index(const std::string& index_path) {
  const Result<Bytes> bytes = read_whole_file(index_path, kIndexBytesMax);
  if (!bytes.ok()) return bytes.error();
  const Result<mp4::TrackIndex> index = mp4::parse_index(*bytes);
  if (!index.ok()) return index.error();
  std::vector<CheckedUnit> units;
  for (const mp4::Unit& unit : index->units) units.push_back({unit.file_offset, unit.file_bytes, unit.crc32c});
  return units;
}

}  // namespace reelway::origin
