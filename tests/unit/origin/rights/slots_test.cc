#include "origin/rights/slots.h"

#include <algorithm>

#include "tests/unit/origin/rights/rights_fixture.h"

namespace reelway::origin {
namespace {

constexpr std::int64_t kFreeAfter = 150;

Slot wanted(const std::string& device, std::int64_t now_s, const std::string& title = "film") {
  return {"session-" + device + "-" + std::to_string(now_s), "id", title, device, now_s + kFreeAfter, now_s};
}

std::ptrdiff_t live_count(const Slots& slots, std::int64_t now_s) {
  return std::count_if(slots.begin(), slots.end(), [&](const Slot& slot) { return is_live(slot, now_s); });
}

TEST(Slots, LimitCountsLiveDevicesOfTheAccount) {
  Slots slots;
  EXPECT_TRUE(take_slot(slots, wanted("tv", 0), 2, 0).ok());
  EXPECT_TRUE(take_slot(slots, wanted("phone", 10), 2, 10).ok());
  const auto third = take_slot(slots, wanted("pad", 20), 2, 20);
  EXPECT_EQ(code(third), "stream_limit_reached");
  EXPECT_EQ(third.error().detail, "2 of 2 streams play: tv, phone");
  EXPECT_EQ(slots.size(), 2u);
  EXPECT_EQ(code(take_slot(slots, wanted("pad", 149), 2, 149)), "stream_limit_reached");
  EXPECT_EQ(code(take_slot(slots, wanted("pad", 150), 2, 150)), "ok");
}

TEST(Slots, DeviceKeepsItsSessionForTheSameTitle) {
  Slots slots;
  const auto first = take_slot(slots, wanted("tv", 0), 1, 0);
  const auto again = take_slot(slots, wanted("tv", 50), 1, 50);
  EXPECT_EQ(again->session, first->session);
  EXPECT_EQ(again->started_s, 0);
  EXPECT_EQ(again->deadline_s, 50 + kFreeAfter);
  const auto other = take_slot(slots, wanted("tv", 60, "other"), 1, 60);
  ASSERT_TRUE(other.ok());
  EXPECT_NE(other->session, first->session);
  EXPECT_EQ(live_count(slots, 60), 1);
  // Back after a while: the same session, begun anew.
  const auto back = take_slot(slots, wanted("tv", 5000, "other"), 1, 5000);
  EXPECT_EQ(back->session, other->session);
  EXPECT_EQ(back->started_s, 5000);
}

TEST(Slots, PressingAgainIsNoNewStreamEvenOverTheLimit) {
  Slots slots;
  ASSERT_TRUE(take_slot(slots, wanted("tv", 0), 3, 0).ok());
  ASSERT_TRUE(take_slot(slots, wanted("phone", 0), 3, 0).ok());
  ASSERT_TRUE(take_slot(slots, wanted("pad", 0), 3, 0).ok());
  EXPECT_TRUE(take_slot(slots, wanted("tv", 1), 2, 1).ok());
  // Going over to a title that allows fewer is one.
  EXPECT_EQ(code(take_slot(slots, wanted("tv", 2, "other"), 2, 2)), "stream_limit_reached");
}

TEST(Slots, RenewalTakesADroppedSlotAgainOnlyIfThereIsRoom) {
  Slots slots;
  const Slot tv = wanted("tv", 0);
  Slot beat = tv;
  beat.device.clear();
  EXPECT_TRUE(renew_slot(slots, beat, 1, 0).ok());
  EXPECT_EQ(code(take_slot(slots, wanted("phone", 10), 1, 10)), "stream_limit_reached");
  EXPECT_EQ(take_slot(slots, wanted("phone", 10), 1, 10).error().detail, "1 of 1 streams play: an unnamed device");
  free_slot(slots, tv.session, 10);
  EXPECT_EQ(live_count(slots, 10), 0);
  EXPECT_TRUE(take_slot(slots, wanted("phone", 10), 1, 10).ok());
  EXPECT_EQ(code(renew_slot(slots, beat, 1, 10)), "stream_limit_reached");
}

TEST(Slots, LateHeartbeatOfAFreedSlotIsItsDevices) {
  Slots slots;
  const Slot tv = *take_slot(slots, wanted("tv", 0), 2, 0);
  free_slot(slots, tv.session, 10);
  Slot beat = wanted("", 11);
  beat.session = tv.session;
  ASSERT_TRUE(renew_slot(slots, beat, 2, 11).ok());
  EXPECT_EQ(slots.size(), 1u);
  EXPECT_EQ(slots.front().device, "tv");
  // The device that presses play again has no second slot by it.
  ASSERT_TRUE(take_slot(slots, wanted("tv", 12), 2, 12).ok());
  EXPECT_EQ(live_count(slots, 12), 1);
}

TEST(Slots, DeviceThatWentOnDoesNotRenewItsOldSession) {
  Slots slots;
  const Slot film = *take_slot(slots, wanted("tv", 0), 2, 0);
  const Slot other = *take_slot(slots, wanted("tv", 10, "other"), 2, 10);
  Slot late = wanted("", 20);
  late.session = film.session;
  EXPECT_EQ(code(renew_slot(slots, late, 2, 20)), "session_not_found");
  EXPECT_EQ(live_count(slots, 20), 1);
  // Back at the first film it has that session again, and the second one's heartbeats are late.
  EXPECT_EQ(take_slot(slots, wanted("tv", 30), 2, 30)->session, film.session);
  late.session = other.session;
  EXPECT_EQ(code(renew_slot(slots, late, 2, 40)), "session_not_found");
  // When nothing plays there any more, either may go on.
  late.deadline_s = 30 + 2 * kFreeAfter;
  EXPECT_EQ(code(renew_slot(slots, late, 2, 30 + kFreeAfter)), "ok");
  EXPECT_EQ(live_count(slots, 30 + kFreeAfter), 1);
}

TEST(Slots, FewOfADeviceAreRemembered) {
  Slots slots;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(take_slot(slots, wanted("tv", i, "film-" + std::to_string(i)), 1, i).ok());
  EXPECT_EQ(slots.size(), static_cast<std::size_t>(kSlotsOfADeviceMax));
  EXPECT_EQ(slots.back().title, "film-19");
  EXPECT_EQ(live_count(slots, 19), 1);
}

TEST(Slots, RefusalNamesAFewDevices) {
  Slots slots;
  for (const char* device : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(take_slot(slots, wanted(device, 0), 7, 0).ok());
  EXPECT_EQ(take_slot(slots, wanted("x", 0), 5, 0).error().detail, "5 of 5 streams play: a, b, c, d, e");
  for (const char* device : {"f", "g"}) ASSERT_TRUE(take_slot(slots, wanted(device, 0), 7, 0).ok());
  EXPECT_EQ(take_slot(slots, wanted("x", 0), 7, 0).error().detail, "7 of 7 streams play: a, b, c, d, e and 2 more");
}

TEST(Slots, LapsedOnesAreForgottenAfterADayAndWhenTheyAreTooMany) {
  Slots slots;
  for (int i = 0; i < 200; ++i) {
    const std::int64_t now_s = i * 1000;
    ASSERT_TRUE(take_slot(slots, wanted("device-" + std::to_string(i), now_s), 1, now_s).ok());
    ASSERT_LE(slots.size(), kSlotsMax);
  }
  EXPECT_EQ(slots.back().device, "device-199");
  forget_lapsed(slots, 199'000 + kFreeAfter + kLapsedSlotKeptSeconds - 1);
  EXPECT_EQ(slots.size(), 1u);
  forget_lapsed(slots, 199'000 + kFreeAfter + kLapsedSlotKeptSeconds);
  EXPECT_TRUE(slots.empty());
}

}  // namespace
}  // namespace reelway::origin
