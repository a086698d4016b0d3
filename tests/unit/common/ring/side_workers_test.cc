#include "common/ring/side_workers.h"

#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "tests/unit/common/ring/ring_fixture.h"

namespace reelway::ring {
namespace {

// Holds workers in their jobs until it is opened.
class Barrier {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void until_waiting(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

TEST(SideWorkers, JobsRunBesideAndDoneRunsOnTheRing) {
  const auto ring = make_ring();
  SideWorkers workers(*ring, 2, 1000, "test-worker-with-a-long-name");
  const auto home = std::this_thread::get_id();
  constexpr int kJobs = 200;
  int done = 0;
  for (int i = 0; i < kJobs; ++i) {
    ASSERT_TRUE(workers.submit([home] { EXPECT_NE(std::this_thread::get_id(), home); },
                               [&] {
                                 EXPECT_EQ(std::this_thread::get_id(), home);
                                 if (++done == kJobs) ring->stop();
                               }));
  }
  ring->run();
  EXPECT_EQ(done, kJobs);
}

TEST(SideWorkers, AFullQueueRefuses) {
  const auto ring = make_ring();
  SideWorkers workers(*ring, 1, 2, "test");
  Barrier barrier;
  int done = 0;
  const auto count = [&] {
    if (++done == 3) ring->stop();
  };
  ASSERT_TRUE(workers.submit([&] { barrier.wait(); }, count));
  barrier.until_waiting(1);
  ASSERT_TRUE(workers.submit([] {}, count));
  ASSERT_TRUE(workers.submit([] {}, count));
  EXPECT_FALSE(workers.submit([] {}, count));
  EXPECT_EQ(workers.queued(), 2u);
  barrier.open();
  ring->run();
  EXPECT_EQ(done, 3);
  EXPECT_EQ(workers.queued(), 0u);
}

TEST(SideWorkers, DestructorWaitsForTheRunningAndNoDoneFollowsIt) {
  const auto ring = make_ring();
  Barrier barrier;
  bool ran_first = false;
  bool told = false;
  std::thread opener;
  {
    SideWorkers workers(*ring, 1, 8, "test");
    ASSERT_TRUE(workers.submit(
        [&] {
          barrier.wait();
          ran_first = true;
        },
        [&] { told = true; }));
    barrier.until_waiting(1);
    ASSERT_TRUE(workers.submit([] {}, [&] { told = true; }));
    opener = std::thread([&] { barrier.open(); });
  }
  opener.join();
  EXPECT_TRUE(ran_first);
  ring->post([&] { ring->stop(); });
  ring->run();
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace reelway::ring
