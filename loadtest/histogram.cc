#include "loadtest/histogram.h"

#include <algorithm>
#include <cmath>

namespace reelway::loadtest {

// Values below 2^5 have a bucket each; above, the leading one bit picks a row and the five bits after it the bucket.
std::size_t Histogram::bucket_of(std::uint64_t value) {
  constexpr std::uint64_t kRow = 1u << kSubBits;
  if (value < kRow) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - kSubBits - 1;
  return ((shift + 1u) << kSubBits) + ((value >> shift) - kRow);
}

std::uint64_t Histogram::bucket_end(std::size_t bucket) {
  constexpr std::uint64_t kRow = 1u << kSubBits;
  if (bucket < kRow) return bucket;
  const auto shift = static_cast<unsigned>(bucket >> kSubBits) - 1;
  const std::uint64_t first = (kRow + (bucket & (kRow - 1))) << shift;
  return first + ((std::uint64_t{1} << shift) - 1);
}

void Histogram::record(std::chrono::nanoseconds duration) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  ++counts_[bucket_of(value)];
  ++count_;
  total_ += value;
  max_ = std::max(max_, value);
}

std::chrono::nanoseconds Histogram::quantile(double share) const {
  if (count_ == 0) return std::chrono::nanoseconds{0};
  const auto wanted =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= wanted) return std::chrono::nanoseconds(std::min(bucket_end(bucket), max_));
  }
  return max();
}

}  // namespace reelway::loadtest
