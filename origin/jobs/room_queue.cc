#include "origin/jobs/room_queue.h"

namespace reelway::origin {
namespace {

constexpr std::uint64_t kClearlyMore = 1 << 20;
constexpr std::chrono::seconds kNoSoonerThan{1};
constexpr std::chrono::seconds kInAnyCaseAfter{60};

}  // namespace

void RoomQueue::add(JobStep step, Error error, std::uint64_t free_bytes, Clock::Monotonic now) {
  const std::string job = step.job;
  waiting_.insert_or_assign(job, Waiting{std::move(step), std::move(error), free_bytes, now});
}

std::vector<JobStep> RoomQueue::take(std::uint64_t free_bytes, Clock::Monotonic now) {
  std::vector<JobStep> taken;
  for (auto place = waiting_.begin(); place != waiting_.end();) {
    const Waiting& one = place->second;
    const bool has_room = free_bytes >= one.free_bytes + kClearlyMore && now - one.since >= kNoSoonerThan;
    if (has_room || now - one.since >= kInAnyCaseAfter) {
      taken.push_back(std::move(place->second.step));
      place = waiting_.erase(place);
    } else {
      ++place;
    }
  }
  return taken;
}

void RoomQueue::remove(std::string_view job) {
  if (const auto place = waiting_.find(job); place != waiting_.end()) waiting_.erase(place);
}

std::optional<Error> RoomQueue::reason(std::string_view job) const {
  const auto place = waiting_.find(job);
  if (place == waiting_.end()) return std::nullopt;
  return place->second.error;
}

}  // namespace reelway::origin
