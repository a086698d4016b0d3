#include "origin/mp4/unit_table.h"

#include "common/base/check.h"

namespace reelway::origin::mp4 {

UnitTable::UnitTable(std::span<const Unit> units, std::uint64_t sample_ticks) : sample_ticks_(sample_ticks) {
  if (units.empty()) return;
  places_.reserve(units.size() + 1);
  if (sample_ticks == 0) decode_times_.reserve(units.size());
  for (const Unit& unit : units) {
    places_.push_back({unit.file_offset, unit.first_sample, unit.crc32c});
    if (sample_ticks == 0) decode_times_.push_back(unit.decode_time);
  }
  const Unit& last = units.back();
  places_.push_back({last.file_offset + last.file_bytes, last.first_sample + last.sample_count, 0});
}

Unit UnitTable::operator[](std::size_t i) const {
  CHECK(i < size());
  const Place& at = places_[i];
  const Place& next = places_[i + 1];
  return {.first_sample = at.first_sample,
          .sample_count = next.first_sample - at.first_sample,
          .decode_time = sample_ticks_ != 0 ? at.first_sample * sample_ticks_ : decode_times_[i],
          .file_offset = at.file_offset,
          .file_bytes = next.file_offset - at.file_offset,
          .crc32c = at.crc32c};
}

std::uint64_t UnitTable::memory_bytes() const {
  return places_.capacity() * sizeof(Place) + decode_times_.capacity() * sizeof(std::uint64_t);
}

}  // namespace reelway::origin::mp4
