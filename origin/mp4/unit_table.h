#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace reelway::origin::mp4 {

// A run of samples that is fetched, checked and cut as one: a closed GOP of video, and for audio the frames whose
// presentation falls into the same time. Its samples' bytes are one contiguous range of the file.
// Segment n of every track is units [n * k, (n + 1) * k), so tracks are cut alike.
struct Unit {
  std::uint32_t first_sample = 0;
  std::uint32_t sample_count = 0;
  std::uint64_t decode_time = 0;  // of the first sample, in ticks, from the first sample of the track
  std::uint64_t file_offset = 0;
  std::uint64_t file_bytes = 0;
  std::uint32_t crc32c = 0;
};

// The units of a track, 16 bytes each: they tile the samples and the bytes, so what one ends with is where the next one
// begins, and where all samples last as long, times follow from their number.
class UnitTable {
 public:
  UnitTable() = default;
  // Units in order, without gaps in samples, times and bytes. `sample_ticks` is the duration of every sample (but for
  // the last of the track), 0 when they differ.
  UnitTable(std::span<const Unit> units, std::uint64_t sample_ticks);

  std::size_t size() const { return places_.empty() ? 0 : places_.size() - 1; }
  bool empty() const { return size() == 0; }
  Unit operator[](std::size_t i) const;
  Unit front() const { return (*this)[0]; }
  Unit back() const { return (*this)[size() - 1]; }
  void set_crc(std::size_t i, std::uint32_t crc32c) { places_[i].crc32c = crc32c; }
  std::uint64_t memory_bytes() const;

  // Units by value, in order.
  class Iterator {
   public:
    Iterator(const UnitTable& table, std::size_t at) : table_(&table), at_(at) {}
    Unit operator*() const { return (*table_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const UnitTable* table_;
    std::size_t at_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  struct Place {
    std::uint64_t file_offset = 0;
    std::uint32_t first_sample = 0;
    std::uint32_t crc32c = 0;
  };
  std::vector<Place> places_;  // and one more, where the last unit ends
  std::uint64_t sample_ticks_ = 0;
  std::vector<std::uint64_t> decode_times_;  // only when samples differ in duration
};

}  // namespace reelway::origin::mp4
