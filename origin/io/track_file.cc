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

Result<void> check_table(const std::string& path, std::uint64_t file_bytes, const mp4::UnitTable& units) {
  if (units.empty()) return corrupt(path + ": its index has no units");
  const mp4::Unit last = units.back();
  if (last.file_offset <= file_bytes && last.file_bytes <= file_bytes - last.file_offset) return {};
  return corrupt(path + ": unit " + std::to_string(units.size() - 1) + " lies outside the file");
}

// The number of units that end at or before `offset`: the first that does not is the one that holds it.
std::size_t units_ended_by(const mp4::UnitTable& units, std::uint64_t offset) {
  std::size_t low = 0, high = units.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const mp4::Unit unit = units[middle];
    if (unit.file_offset + unit.file_bytes <= offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace

Result<std::shared_ptr<TrackFile>> TrackFile::open(const std::string& path, std::uint64_t file_bytes,
                                                   std::shared_ptr<const mp4::UnitTable> units) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return system_error("open", path, errno);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return system_error("fstat", path, errno);
  if (static_cast<std::uint64_t>(status.st_size) != file_bytes || file_bytes == 0) {
    return corrupt(path + " has " + std::to_string(status.st_size) + " bytes, its index says " +
                   std::to_string(file_bytes));
  }
  REELWAY_TRY(check_table(path, file_bytes, *units));
  auto residency = map_residency(file.get(), file_bytes, path.c_str());
  if (!residency) return residency.error();
  return std::make_shared<TrackFile>(path, std::move(file), std::move(units), std::move(residency).value());
}

TrackFile::TrackFile(std::string path, UniqueFd file, std::shared_ptr<const mp4::UnitTable> units,
                     std::unique_ptr<Residency> residency)
    : path_(std::move(path)),
      file_(std::move(file)),
      units_(std::move(units)),
      residency_(std::move(residency)),
      checked_(units_->size(), false) {}

TrackFile::Units TrackFile::units_of(Range range) const {
  const std::size_t first = units_ended_by(*units_, range.offset);
  const std::uint64_t end = range.offset + range.count;
  std::size_t last = first;
  while (last < units_->size() && (*units_)[last].file_offset < end) ++last;
  return {first, last - first};
}

TrackFile::Range TrackFile::range_of(Units units) const {
  if (units.count == 0) return {};
  const mp4::Unit last = (*units_)[units.first + units.count - 1];
  const std::uint64_t offset = (*units_)[units.first].file_offset;
  return {offset, last.file_offset + last.file_bytes - offset};
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
    const mp4::Unit unit = (*units_)[i];
    const auto sum = sum_of(unit, buffer);
    if (!sum) return sum.error();
    if (*sum != unit.crc32c) {
      return corrupt(path_ + ": unit " + std::to_string(i) + " (" + std::to_string(unit.file_bytes) + " bytes at " +
                     std::to_string(unit.file_offset) + ")");
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

Result<std::uint32_t> TrackFile::sum_of(const mp4::Unit& unit, std::span<std::uint8_t> buffer) const {
  std::uint32_t sum = 0;
  for (std::uint64_t done = 0; done < unit.file_bytes;) {
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(unit.file_bytes - done, buffer.size()));
    REELWAY_TRY(read(unit.file_offset + done, buffer.first(count)));
    sum = crc32c(buffer.first(count), sum);
    done += count;
  }
  return sum;
}

}  // namespace reelway::origin
