#include "origin/net/event_loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "common/base/unique_fd.h"

namespace reelway::origin {
namespace {

using std::chrono::milliseconds;

TEST(EventLoop, WorkRunsElsewhereAndEndsOnTheLoop) {
  EventLoop loop;
  const auto loop_thread = std::this_thread::get_id();
  std::thread::id work_thread;
  std::thread::id done_thread;
  ASSERT_TRUE(loop.run_on_worker([&] { work_thread = std::this_thread::get_id(); },
                                 [&] {
                                   done_thread = std::this_thread::get_id();
                                   loop.stop();
                                 }));
  EXPECT_EQ(loop.work_count(), 1u);
  loop.run();
  EXPECT_NE(work_thread, loop_thread);
  EXPECT_EQ(done_thread, loop_thread);
  EXPECT_EQ(loop.work_count(), 0u);
}

TEST(EventLoop, WorkOverTheLimitIsRefusedAndCounted) {
  EventLoop loop;
  std::latch gate(1);
  std::size_t ended = 0;
  const auto done = [&] {
    if (++ended == EventLoop::kWorkMax) loop.stop();
  };
  for (std::size_t i = 0; i < EventLoop::kWorkMax; ++i) ASSERT_TRUE(loop.run_on_worker([&] { gate.wait(); }, done));
  EXPECT_FALSE(loop.run_on_worker([] {}, done));
  EXPECT_EQ(loop.work_refused_count(), 1u);
  gate.count_down();
  loop.run();
  EXPECT_EQ(ended, EventLoop::kWorkMax);
  EXPECT_TRUE(loop.run_on_worker([] {}, [] {}));
}

TEST(EventLoop, PostComesFromAnyThreadInOrder) {
  EventLoop loop;
  std::vector<int> order;
  std::thread other([&] {
    for (int i = 0; i < 3; ++i) loop.post([&order, i] { order.push_back(i); });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

TEST(EventLoop, PostAfterItsEndIsDropped) {
  auto watched = std::make_shared<int>(1);
  {
    EventLoop loop;
    loop.post([watched] {});
  }
  EXPECT_EQ(watched.use_count(), 1);
}

TEST(Timer, FiresOnceAndMayDestroyItself) {
  EventLoop loop;
  std::unique_ptr<Timer> timer;
  int fired = 0;
  timer = std::make_unique<Timer>(loop, [&] {
    ++fired;
    timer.reset();
    loop.stop();
  });
  timer->start_once(milliseconds(1));
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(Timer, RepeatsUntilStopped) {
  EventLoop loop;
  int fired = 0;
  Timer timer(loop, [&] {
    if (++fired < 3) return;
    timer.stop();
    loop.stop();
  });
  timer.start_every(milliseconds(1));
  loop.run();
  EXPECT_EQ(fired, 3);
}

TEST(SignalWatch, CallsBackOnTheLoop) {
  EventLoop loop;
  int seen = 0;
  const SignalWatch watch(loop, SIGUSR1, [&] {
    ++seen;
    loop.stop();
  });
  loop.post([] { raise(SIGUSR1); });
  loop.run();
  EXPECT_EQ(seen, 1);
}

TEST(SocketPoll, ReportsWhatIsWantedAndMayDestroyItself) {
  EventLoop loop;
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  const UniqueFd near(pair[0]);
  const UniqueFd far(pair[1]);
  bool readable = false;
  std::unique_ptr<SocketPoll> poll;
  poll = std::make_unique<SocketPoll>(loop, near.get(), [&](SocketPoll::Ready ready) {
    if (ready.writable) {
      poll->want(true, false);
      ASSERT_EQ(write(far.get(), "x", 1), 1);
      return;
    }
    readable = ready.readable;
    poll.reset();
    loop.stop();
  });
  poll->want(false, true);
  loop.run();
  EXPECT_TRUE(readable);
}

}  // namespace
}  // namespace reelway::origin
