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
    if (++others > kDevicesNamedMax) continue;
    devices += (devices.empty() ? "" : ", ") + (slot.device.empty() ? "an unnamed device" : slot.device);
  }
  if (others < streams_max) return {};
  if (others > kDevicesNamedMax) devices += " and " + std::to_string(others - kDevicesNamedMax) + " more";
  return Error{ErrorCode::stream_limit_reached, Side::client, false,
               std::to_string(others) + " of " + std::to_string(streams_max) + " streams play: " + devices};
}

Slot* live_slot_of(Slots& slots, std::string_view device, std::int64_t now_s) {
  const auto live = std::find_if(slots.begin(), slots.end(), [&](const Slot& slot) {
    return slot.device == device && !device.empty() && is_live(slot, now_s);
  });
  return live == slots.end() ? nullptr : &*live;
}

// Makes room for one more slot of a device, so that one which goes through many titles does not fill the list.
void forget_oldest_of(Slots& slots, std::string_view device) {
  const auto of_device = [&](const Slot& slot) { return slot.device == device; };
  while (std::count_if(slots.begin(), slots.end(), of_device) >= kSlotsOfADeviceMax) {
    auto oldest = std::find_if(slots.begin(), slots.end(), of_device);
    for (auto slot = oldest; slot != slots.end(); ++slot) {
      if (of_device(*slot) && slot->deadline_s < oldest->deadline_s) oldest = slot;
    }
    slots.erase(oldest);
  }
}

}  // namespace

bool is_live(const Slot& slot, std::int64_t now_s) {
  return now_s < slot.deadline_s;
}

Result<Slot> take_slot(Slots& slots, const Slot& wanted, std::uint32_t streams_max, std::int64_t now_s) {
  forget_lapsed(slots, now_s);
  Slot* const live = live_slot_of(slots, wanted.device, now_s);
  const auto same = std::find_if(slots.begin(), slots.end(), [&](const Slot& slot) {
    return slot.device == wanted.device && slot.title == wanted.title;
  });
  const bool goes_on = same != slots.end() && is_live(*same, now_s);
  if (!goes_on) {
    REELWAY_TRY(check_room(slots, live, streams_max, now_s));
    if (live != nullptr) live->deadline_s = now_s;
  }
  Slot taken = wanted;
  if (same != slots.end()) {
    taken.session = same->session;
    if (goes_on) taken.started_s = same->started_s;
    *same = taken;
  } else {
    forget_oldest_of(slots, wanted.device);
    slots.push_back(taken);
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
    if (live_slot_of(slots, renewed.device, now_s) != nullptr) {
      return Error{ErrorCode::session_not_found, Side::client, false, renewed.device + " plays in a newer session"};
    }
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

void free_slot(Slots& slots, std::string_view session, std::int64_t now_s) {
  for (Slot& slot : slots) {
    if (slot.session == session) slot.deadline_s = std::min(slot.deadline_s, now_s);
  }
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
