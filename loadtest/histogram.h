#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace reelway::loadtest {

// Durations counted in buckets whose width is 1/32 of their power of two, so a quantile is at most 3 % too high.
// Fixed size, no allocation per record.
class Histogram {
 public:
  void record(std::chrono::nanoseconds duration);

  std::uint64_t count() const { return count_; }
  std::chrono::nanoseconds max() const { return std::chrono::nanoseconds(max_); }
  std::chrono::nanoseconds mean() const { return std::chrono::nanoseconds(count_ == 0 ? 0 : total_ / count_); }
  // The upper end of the bucket that holds the given share (0 to 1) of all durations; zero when there are none.
  std::chrono::nanoseconds quantile(double share) const;

 private:
  static constexpr unsigned kSubBits = 5;
  static constexpr std::size_t kBuckets = (64 - kSubBits + 1) << kSubBits;

  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t bucket_end(std::size_t bucket);  // the greatest value in it

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace reelway::loadtest
