#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "origin/io/residency.h"
#include "origin/mp4/unit_table.h"

namespace reelway::origin {

// An immutable track file, open for sending. It remembers of each unit whether its bytes in memory have been checked
// against the index since they were last brought in; send only what fit_to_send() allows.
//
// Threads: open() and read_and_check() on workers; they touch only what never changes. Everything else on the loop.
class TrackFile {
 public:
  struct Range {
    std::uint64_t offset = 0;
    std::uint64_t count = 0;
  };
  // Positions in the unit table.
  struct Units {
    std::size_t first = 0;
    std::size_t count = 0;
  };

  // not_found_on_disk, io_failed; stored_data_corrupt when the file's size is not `file_bytes` or a unit lies outside.
  // Blocking.
  static Result<std::shared_ptr<TrackFile>> open(const std::string& path, std::uint64_t file_bytes,
                                                 std::shared_ptr<const mp4::UnitTable> units);
  TrackFile(std::string path, UniqueFd file, std::shared_ptr<const mp4::UnitTable> units,
            std::unique_ptr<Residency> residency);

  const std::string& path() const { return path_; }
  int descriptor() const { return file_.get(); }

  // Whether the range is in memory and every unit that it touches has been checked. Forgets the checks of units that
  // have left memory.
  bool fit_to_send(Range range);
  // The units from the first to the last that must be read before the range is fit to send. Units of a range lie
  // within the table: bytes outside any unit are never sent.
  Units units_of(Range range) const;
  void mark_checked(Units units);

  // Reads the units through a bounded buffer, which leaves them in the page cache, and compares each one's sum.
  // stored_data_corrupt names the file and the unit. Blocking.
  Result<void> read_and_check(Units units) const;
  Range range_of(Units units) const;
  // A range into `target`, for one who has it checked otherwise: fit_to_send() before, or a sum of what he makes of it.
  // Blocking, on any thread. io_failed; stored_data_corrupt when the file ends before it.
  Result<void> read(std::uint64_t offset, std::span<std::uint8_t> target) const;

 private:
  Result<std::uint32_t> sum_of(const mp4::Unit& unit, std::span<std::uint8_t> buffer) const;

  std::string path_;
  UniqueFd file_;
  std::shared_ptr<const mp4::UnitTable> units_;  // shared with the index
  std::unique_ptr<Residency> residency_;
  std::vector<bool> checked_;  // one a unit
};

}  // namespace reelway::origin
