#include "edge/request/running_requests.h"

#include <gtest/gtest.h>

#include <functional>
#include <utility>

namespace reelway::edge {
namespace {

struct Running final : RunningRequest {
  std::function<void()> on_recheck;
  int rechecks = 0;
  void recheck_rental() override {
    ++rechecks;
    if (on_recheck) on_recheck();
  }
};

TEST(RunningRequests, TheSweepSeesEachOnce) {
  RunningRequests list;
  Running all[3];
  for (Running& one : all) list.join(one);
  list.recheck_all();
  for (const Running& one : all) EXPECT_EQ(one.rechecks, 1);
  for (Running& one : all) list.leave(one);
  EXPECT_EQ(list.count(), 0u);
}

TEST(RunningRequests, AnyMayLeaveWithinTheSweep) {
  for (int leaver = 0; leaver < 3; ++leaver) {
    for (int left = 0; left < 3; ++left) {
      RunningRequests list;
      Running all[3];
      for (Running& one : all) list.join(one);
      bool gone = false;
      all[leaver].on_recheck = [&] {
        if (!std::exchange(gone, true)) list.leave(all[left]);
      };
      list.recheck_all();
      EXPECT_EQ(list.count(), 2u);
      list.recheck_all();
      EXPECT_EQ(list.count(), 2u);
      for (int i = 0; i < 3; ++i) EXPECT_GE(all[i].rechecks, i == left ? 0 : 2);
      for (int i = 0; i < 3; ++i) {
        if (i != left) list.leave(all[i]);
      }
    }
  }
}

}  // namespace
}  // namespace reelway::edge
