#include "origin/jobs/room_queue.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

using namespace std::chrono_literals;
using Monotonic = Clock::Monotonic;

constexpr std::uint64_t kMiB = 1 << 20;
const Error kFull{ErrorCode::disk_full, Side::disk, true, "10 MiB are needed"};
const Monotonic kStart(1h);

TEST(RoomQueue, StepComesBackWhenThereIsClearlyMoreRoomThanThereWas) {
  RoomQueue queue;
  queue.add({JobStep::Kind::finish, "job", {}}, kFull, 5 * kMiB, kStart);
  EXPECT_TRUE(queue.take(6 * kMiB - 1, kStart + 30s).empty());
  EXPECT_TRUE(queue.take(100 * kMiB, kStart + 999ms).empty());
  EXPECT_EQ(queue.reason("job")->detail, "10 MiB are needed");
  const std::vector<JobStep> steps = queue.take(6 * kMiB, kStart + 1s);
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].kind, JobStep::Kind::finish);
  EXPECT_EQ(steps[0].job, "job");
  EXPECT_FALSE(queue.reason("job").has_value());
  EXPECT_TRUE(queue.take(100 * kMiB, kStart + 1h).empty());
}

TEST(RoomQueue, StepComesBackAfterAMinuteInAnyCase) {
  RoomQueue queue;
  queue.add({JobStep::Kind::prepare, "job", {}}, kFull, 5 * kMiB, kStart);
  EXPECT_TRUE(queue.take(0, kStart + 59s).empty());
  EXPECT_EQ(queue.take(0, kStart + 60s).size(), 1u);
}

TEST(RoomQueue, RemovedStepDoesNotComeBack) {
  RoomQueue queue;
  queue.add({JobStep::Kind::prepare, "job", {}}, kFull, 0, kStart);
  queue.remove("job");
  queue.remove("other");
  EXPECT_FALSE(queue.reason("job").has_value());
  EXPECT_TRUE(queue.take(100 * kMiB, kStart + 1h).empty());
}

}  // namespace
}  // namespace reelway::origin
