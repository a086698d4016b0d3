#include "common/ring/timer.h"

#include <gmock/gmock.h>

#include <optional>
#include <vector>

#include "tests/unit/common/ring/ring_fixture.h"

namespace reelway::ring {
namespace {

using namespace std::chrono_literals;

TEST(Timer, FiresInOrderOfDeadlineAndNeverEarly) {
  const auto ring = make_ring();
  std::vector<int> order;
  const auto start = std::chrono::steady_clock::now();
  Timer late(*ring);
  Timer early(*ring);
  Timer middle(*ring);
  late.arm(90ms, [&] {
    order.push_back(3);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 90ms);
    ring->stop();
  });
  early.arm(10ms, [&] {
    order.push_back(1);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 10ms);
  });
  middle.arm(50ms, [&] { order.push_back(2); });
  ring->run();
  EXPECT_THAT(order, testing::ElementsAre(1, 2, 3));
  EXPECT_FALSE(early.armed());
}

TEST(Timer, ArmingAgainReplacesLaterAndEarlier) {
  const auto ring = make_ring();
  std::vector<int> order;
  Timer moved_back(*ring);
  Timer moved_forward(*ring);
  Timer end(*ring);
  moved_back.arm(10ms, [&] { order.push_back(-1); });
  moved_back.arm(60ms, [&] { order.push_back(2); });
  moved_forward.arm(1h, [&] { order.push_back(-2); });
  moved_forward.arm(20ms, [&] { order.push_back(1); });
  end.arm(100ms, [&] { ring->stop(); });
  ring->run();
  EXPECT_THAT(order, testing::ElementsAre(1, 2));
}

TEST(Timer, DisarmedAndDestroyedTimersDoNotFire) {
  const auto ring = make_ring();
  bool fired = false;
  Timer disarmed(*ring);
  std::optional<Timer> destroyed;
  destroyed.emplace(*ring);
  disarmed.arm(10ms, [&] { fired = true; });
  destroyed->arm(10ms, [&] { fired = true; });
  EXPECT_TRUE(disarmed.armed());
  disarmed.disarm();
  EXPECT_FALSE(disarmed.armed());
  destroyed.reset();
  Timer end(*ring);
  end.arm(50ms, [&] { ring->stop(); });
  ring->run();
  EXPECT_FALSE(fired);
}

TEST(Timer, MayDestroyItselfOrArmItselfWhenItFires) {
  const auto ring = make_ring();
  auto self = std::make_unique<Timer>(*ring);
  self->arm(0ms, [&] { self.reset(); });
  Timer again(*ring);
  int fired = 0;
  std::function<void()> tick = [&] {
    if (++fired == 3) return ring->stop();
    again.arm(0ms, tick);
  };
  again.arm(0ms, tick);
  ring->run();
  EXPECT_EQ(fired, 3);
  EXPECT_EQ(self, nullptr);
}

TEST(Timer, MayOutliveItsRing) {
  auto ring = make_ring();
  Timer timer(*ring);
  timer.arm(1h, [] {});
  ring.reset();
}

TEST(Timer, TenThousandFireOnceEach) {
  const auto ring = make_ring();
  constexpr int kCount = 10'000;
  std::vector<std::unique_ptr<Timer>> timers;
  int fired = 0;
  for (int i = 0; i < kCount; ++i) {
    timers.push_back(std::make_unique<Timer>(*ring));
    timers.back()->arm(std::chrono::milliseconds(i * 7919 % 100), [&] {
      if (++fired == kCount / 2) ring->stop();
    });
  }
  for (int i = 0; i < kCount; i += 2) timers[static_cast<std::size_t>(i)]->disarm();
  ring->run();
  EXPECT_EQ(fired, kCount / 2);
}

}  // namespace
}  // namespace reelway::ring
