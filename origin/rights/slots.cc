#include "origin/rights/slots.h"

#include <algorithm>
#include <utility>

namespace reelway::origin {
namespace {

// stream_limit_reached when the live slots other than `mine` leave no room.
Result<void> check_room(const Slots& slots, const Slot* mine, std::uint32_t streams_max, std::int64_t now_s) {
  std::uint32_t others = 0;
  std::string devices;
  for (const Slot& slot : slots) {
    if (&slot == mine || !is_live(slot, now_s)) continue;
    ++others;
    devices += (devices.empty() ? "" : ", ") + (slot.device.empty() ? "an unnamed device" : slot.device);
  }
  if (others < streams_max) return {};
  return Error{ErrorCode::stream_limit_reached, Side::client, false,
               std::to_string(others) + " of " + std::to_string(streams_max) + " streams play: " + devices};
}

}  // namespace

bool is_live(const Slot& slot, std::int64_t now_s) {
  return now_s < slot.deadline_s;
}

Result<Slot> take_slot(Slots& slots, const Slot& wanted, std::uint32_t streams_max, std::int64_t now_s) {
  forget_lapsed(slots, now_s);
  const auto mine =
      std::find_if(slots.begin(), slots.end(), [&](const Slot& slot) { return slot.device == wanted.device; });
  Slot taken = wanted;
  const bool again = mine != slots.end() && mine->title == wanted.title;
  if (!again || !is_live(*mine, now_s)) {
    REELWAY_TRY(check_room(slots, mine == slots.end() ? nullptr : &*mine, streams_max, now_s));
  }
  if (again) {
    taken.session = mine->session;
    if (is_live(*mine, now_s)) taken.started_s = mine->started_s;
  }
  if (mine == slots.end()) {
    slots.push_back(taken);
  } else {
    *mine = taken;
  }
  forget_lapsed(slots, now_s);
  return taken;
}

Result<Slot> renew_slot(Slots& slots, const Slot& wanted, std::uint32_t streams_max, std::int64_t now_s) {
  forget_lapsed(slots, now_s);
  const auto mine =
      std::find_if(slots.begin(), slots.end(), [&](const Slot& slot) { return slot.session == wanted.session; });
  Slot renewed = wanted;
  if (mine != slots.end()) {
    renewed.device = mine->device;
    renewed.started_s = mine->started_s;
  }
  if (mine == slots.end() || !is_live(*mine, now_s)) {
    REELWAY_TRY(check_room(slots, mine == slots.end() ? nullptr : &*mine, streams_max, now_s));
  }
  if (mine == slots.end()) {
    slots.push_back(renewed);
  } else {
    *mine = renewed;
  }
  forget_lapsed(slots, now_s);
  return renewed;
}

void free_slot(Slots& slots, std::string_view session) {
  std::erase_if(slots, [&](const Slot& slot) { return slot.session == session; });
}

void free_slots_of(Slots& slots, std::string_view entitlement) {
  std::erase_if(slots, [&](const Slot& slot) { return slot.entitlement == entitlement; });
}

void forget_lapsed(Slots& slots, std::int64_t now_s) {
  std::erase_if(slots, [&](const Slot& slot) { return slot.deadline_s + kLapsedSlotKeptSeconds <= now_s; });
  while (slots.size() > kSlotsMax) {
    const auto oldest = std::min_element(slots.begin(), slots.end(),
                                         [](const Slot& a, const Slot& b) { return a.deadline_s < b.deadline_s; });
    slots.erase(oldest);  // lapsed: no more than kSlotsMax live ones are given out, no limit of streams being above it
  }
}

}  // namespace reelway::origin
