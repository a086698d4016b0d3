#include "origin/jobs/disk_room.h"

#include <cmath>

namespace reelway::origin {
namespace {

constexpr double kAudioBitsPerSecond = 700'000;  // no audio track has more: 640 kbit/s is the most of AC-3

Error full(const std::string& folder, std::uint64_t free, std::uint64_t needed) {
  return {ErrorCode::disk_full, Side::disk, true,
          folder + ": " + std::to_string(needed >> 20) + " MiB are needed and " + std::to_string(free >> 20) +
              " MiB are free"};
}

}  // namespace

DiskRoom::DiskRoom(std::string folder, std::uint64_t keep_bytes, FreeBytes free)
    : folder_(std::move(folder)), keep_bytes_(keep_bytes), free_(std::move(free)) {}

Result<void> DiskRoom::check(std::uint64_t bytes) const {
  const std::uint64_t free = free_bytes(), needed = keep_bytes_ + bytes;
  if (free < needed) return full(folder_, free, needed);
  return {};
}

Result<void> DiskRoom::check_reserve() const {
  const std::uint64_t free = free_bytes();
  if (free < keep_bytes_ / 2) return full(folder_, free, keep_bytes_);
  return {};
}

std::uint64_t expected_bytes(const EncodePlan& plan, const EncodePart& part) {
  double bits_per_second = kAudioBitsPerSecond;
  if (!part.audio) {
    bits_per_second = 0;
    for (const Rung& rung : plan.rungs) bits_per_second += rung.bits_per_second;
  }
  return static_cast<std::uint64_t>(
      std::ceil(static_cast<double>(part.frames) / plan.rate.value() * bits_per_second / 8));
}

std::uint64_t expected_bytes(const EncodePlan& plan) {
  std::uint64_t sum = 0;
  for (const EncodePart& part : encode_parts(plan)) sum += expected_bytes(plan, part);
  return sum;
}

}  // namespace reelway::origin
