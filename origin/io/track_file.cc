#include "origin/io/track_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/crc32c.h"

// The model. A byte of a track file is fit to send when (1) its page is in memory and (2) the unit that holds it was
// read and its sum was right since the page came in. The kernel tells (1). For (2) there is one bit a unit: set when a
// worker has checked the unit, cleared when any page of it that we look at is found to be gone. A page that goes and is
// brought back by somebody else between two looks would keep its bit; the edge's own check of the whole body covers it.

namespace reelway::origin {
namespace {

constexpr std::size_t kReadBytes = 1024 * 1024;  // a step of a worker's read

Error corrupt(std::string detail) {
  Error error;
  error.code = ErrorCode::stored_data_corrupt;
  error.side = Side::disk;
  error.detail = std::move(detail);
  return error;
}

Result<void> check_table(const std::string& path, std::uint64_t file_bytes, const std::vector<CheckedUnit>& units) {
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const CheckedUnit& unit = units[i];
    if (unit.offset < at || unit.offset > file_bytes || unit.bytes > file_bytes - unit.offset) {
      return corrupt(path + ": unit " + std::to_string(i) + " lies outside the file or over another");
    }
    at = unit.offset + unit.bytes;
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<TrackFile>> TrackFile::open(const std::string& path, std::uint64_t file_bytes,
                                                   std::vector<CheckedUnit> units) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return system_error("open", path, errno);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return system_error("fstat", path, errno);
  if (static_cast<std::uint64_t>(status.st_size) != file_bytes || file_bytes == 0) {
    return corrupt(path + " has " + std::to_string(status.st_size) + " bytes, its index says " +
                   std::to_string(file_bytes));
  }
  REELWAY_TRY(check_table(path, file_bytes, units));
  auto residency = map_residency(file.get(), file_bytes, path.c_str());
  if (!residency) return residency.error();
  return std::make_shared<TrackFile>(path, std::move(file), std::move(units), std::move(residency).value());
}

TrackFile::TrackFile(std::string path, UniqueFd file, std::vector<CheckedUnit> units,
                     std::unique_ptr<Residency> residency)
    : path_(std::move(path)),
      file_(std::move(file)),
      units_(std::move(units)),
      residency_(std::move(residency)),
      checked_(units_.size(), false) {}

TrackFile::Units TrackFile::units_of(Range range) const {
  const auto ends_before = [](const CheckedUnit& unit, std::uint64_t offset) {
    return unit.offset + unit.bytes <= offset;
  };
  const auto first = std::lower_bound(units_.begin(), units_.end(), range.offset, ends_before);
  const std::uint64_t end = range.offset + range.count;
  const auto last =
      std::partition_point(first, units_.end(), [end](const CheckedUnit& unit) { return unit.offset < end; });
  return {static_cast<std::size_t>(first - units_.begin()), static_cast<std::size_t>(last - first)};
}

TrackFile::Range TrackFile::range_of(Units units) const {
  if (units.count == 0) return {};
  const CheckedUnit& last = units_[units.first + units.count - 1];
  const std::uint64_t offset = units_[units.first].offset;
  return {offset, last.offset + last.bytes - offset};
}

bool TrackFile::fit_to_send(Range range) {
  const Units units = units_of(range);
  const auto first = checked_.begin() + static_cast<std::ptrdiff_t>(units.first);
  const auto last = first + static_cast<std::ptrdiff_t>(units.count);
  if (units.count == 0 || std::find(first, last, false) != last) return false;
  if (residency_->resident(range.offset, range.count)) return true;
  std::fill(first, last, false);
  return false;
}

void TrackFile::mark_checked(Units units) {
  for (std::size_t i = units.first; i < units.first + units.count; ++i) checked_[i] = true;
}

Result<void> TrackFile::read_and_check(Units units) const {
  std::vector<std::uint8_t> buffer(kReadBytes);
  for (std::size_t i = units.first; i < units.first + units.count; ++i) {
    const auto sum = sum_of(units_[i], buffer);
    if (!sum) return sum.error();
    if (*sum != units_[i].crc32c) {
      return corrupt(path_ + ": unit " + std::to_string(i) + " (" + std::to_string(units_[i].bytes) + " bytes at " +
                     std::to_string(units_[i].offset) + ")");
    }
  }
  return {};
}

Result<void> TrackFile::read(std::uint64_t offset, std::span<std::uint8_t> target) const {
  while (!target.empty()) {
    const ssize_t count = pread(file_.get(), target.data(), target.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("pread", path_, errno);
    if (count == 0) return corrupt(path_ + " ends at " + std::to_string(offset));
    offset += static_cast<std::uint64_t>(count);
    target = target.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<std::uint32_t> TrackFile::sum_of(const CheckedUnit& unit, std::span<std::uint8_t> buffer) const {
  std::uint32_t sum = 0;
  for (std::uint64_t done = 0; done < unit.bytes;) {
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(unit.bytes - done, buffer.size()));
    REELWAY_TRY(read(unit.offset + done, buffer.first(count)));
    sum = crc32c(buffer.first(count), sum);
    done += count;
  }
  return sum;
}

}  // namespace reelway::origin
