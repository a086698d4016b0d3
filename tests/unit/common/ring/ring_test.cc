#include "common/ring/ring.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/common/ring/ring_fixture.h"

namespace reelway::ring {
namespace {

using namespace std::chrono_literals;

TEST(Ring, RefusesABufferCountThatIsNoPowerOfTwo) {
  const auto ring = Ring::create({.entries = 8, .receive_buffers = 3});
  ASSERT_FALSE(ring.ok());
  EXPECT_EQ(ring.error().code, ErrorCode::config_value_invalid);
}

TEST(Ring, StopBeforeRunReturnsAtOnce) {
  const auto ring = make_ring();
  ring->stop();
  ring->run();
  EXPECT_EQ(ring->turns(), 0u);
}

TEST(Ring, DeferredTasksRunInOrderAndMayDeferMore) {
  const auto ring = make_ring();
  std::vector<int> order;
  ring->defer([&] {
    order.push_back(1);
    ring->defer([&] {
      order.push_back(3);
      ring->stop();
    });
  });
  ring->defer([&] { order.push_back(2); });
  ring->run();
  EXPECT_THAT(order, testing::ElementsAre(1, 2, 3));
}

TEST(Ring, DeferRunsInTheSameTurnAfterTheCompletions) {
  const auto ring = make_ring();
  SocketPair pair;
  std::uint64_t turn_of_completion = 0;
  TestOperation send([&](std::int32_t, std::uint32_t) {
    turn_of_completion = ring->turns();
    ring->defer([&] {
      EXPECT_EQ(ring->turns(), turn_of_completion);
      ring->stop();
    });
  });
  ring->send(send, pair.ours.get(), as_bytes("x"));
  ring->run();
}

TEST(Ring, PostFromManyThreadsRunsEveryTaskOnTheRingsThread) {
  const auto ring = make_ring();
  constexpr int kThreads = 4;
  constexpr int kTasks = 500;
  int ran = 0;
  const auto home = std::this_thread::get_id();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTasks; ++i) {
        ring->post([&] {
          EXPECT_EQ(std::this_thread::get_id(), home);
          if (++ran == kThreads * kTasks) ring->stop();
        });
      }
    });
  }
  ring->run();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ran, kThreads * kTasks);
}

TEST(Ring, CreatedHereAndRunElsewhere) {
  auto ring = make_ring();
  SocketPair pair;
  std::int32_t sent = 0;
  std::thread thread([&] {
    TestOperation send([&](std::int32_t result, std::uint32_t) {
      sent = result;
      ring->stop();
    });
    ring->send(send, pair.ours.get(), as_bytes("hello"));
    ring->run();
  });
  thread.join();
  EXPECT_EQ(sent, 5);
  ring.reset();  // nothing is in flight, so any thread may
}

TEST(Ring, RunMayBeCalledAgainAndOperationsStayInFlight) {
  const auto ring = make_ring();
  SocketPair pair;
  std::string got;
  TestOperation receive([&](std::int32_t result, std::uint32_t flags) {
    if (result < 0) return ring->stop();
    got += as_text(ring->received(result, flags).view());
    ring->stop();
  });
  ring->receive_multishot(receive, pair.ours.get());
  for (const char* part : {"one ", "two"}) {
    ASSERT_GT(::send(pair.theirs.get(), part, strlen(part), 0), 0);
    ring->run();
    EXPECT_TRUE(receive.in_flight());
  }
  EXPECT_EQ(got, "one two");
  ring->cancel(receive);
  ring->run();
  EXPECT_FALSE(receive.in_flight());
}

TEST(Ring, MorePreparedThanTheSubmissionQueueHolds) {
  const auto ring = make_ring({.entries = 4, .receive_buffers = 4});
  constexpr int kCount = 300;
  std::vector<std::unique_ptr<TestOperation>> operations;
  int completed = 0;
  for (int i = 0; i < kCount; ++i) {
    operations.push_back(std::make_unique<TestOperation>([&](std::int32_t result, std::uint32_t) {
      EXPECT_EQ(result, -ETIME);
      if (++completed == kCount) ring->stop();
    }));
    ring->timeout(*operations.back(), 1ms);
  }
  ring->run();
  EXPECT_EQ(completed, kCount);
}

TEST(Ring, CancelCompletesTheTarget) {
  const auto ring = make_ring();
  SocketPair pair;
  std::uint8_t byte[1];
  std::int32_t received = 0;
  std::int32_t timed = 0;
  TestOperation timeout([&](std::int32_t result, std::uint32_t) {
    timed = result;
    ring->stop();
  });
  TestOperation receive([&](std::int32_t result, std::uint32_t) {
    received = result;
    ring->cancel(timeout);
  });
  ring->timeout(timeout, 1h);
  ring->receive(receive, pair.ours.get(), byte);
  ring->cancel(receive);
  ring->run();
  EXPECT_EQ(received, -ECANCELED);
  EXPECT_EQ(timed, -ECANCELED);
  ring->cancel(receive);  // of one that is not in flight: nothing happens
}

TEST(Ring, AnOperationMayBeFreedInItsCompletion) {
  const auto ring = make_ring();
  SocketPair pair;
  auto* send = new TestOperation;
  send->on_completed([&, send](std::int32_t, std::uint32_t) {
    Ring* the_ring = ring.get();
    delete send;
    the_ring->stop();
  });
  ring->send(*send, pair.ours.get(), as_bytes("x"));
  ring->run();
}

TEST(Ring, DestructorTakesBackWhatIsInFlight) {
  Listener listener;
  SocketPair pair;
  TestOperation accept;
  TestOperation multishot;
  TestOperation single;
  TestOperation timeout;
  TestOperation connect;
  std::uint8_t byte[1];
  UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  {
    const auto ring = make_ring();
    ring->accept_multishot(accept, listener.fd.get());
    ring->receive_multishot(multishot, pair.ours.get());
    ring->receive(single, pair.theirs.get(), byte);
    ring->timeout(timeout, 1h);
    ring->connect(connect, client.get(), listener.generic(), sizeof listener.address);
    ring->defer([&] { ring->stop(); });
    ring->run();
    EXPECT_TRUE(accept.in_flight());
    EXPECT_TRUE(timeout.in_flight());
  }
  for (const TestOperation* operation : {&accept, &multishot, &single, &timeout, &connect}) {
    EXPECT_FALSE(operation->in_flight());
  }
}

TEST(Ring, AbandonLetsOwnersGoBeforeTheRing) {
  const auto ring = make_ring();
  SocketPair pair;
  {
    TestOperation never_submitted;
    ring->receive_multishot(never_submitted, pair.ours.get());
    ring->abandon();
    EXPECT_FALSE(never_submitted.in_flight());
  }
  // The ring is still good, and its wake-up too.
  std::thread poster([&] { ring->post([&] { ring->stop(); }); });
  ring->run();
  poster.join();
}

}  // namespace
}  // namespace reelway::ring
