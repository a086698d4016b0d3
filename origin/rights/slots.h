#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "origin/rights/records.h"

// The stream slots of one account. Pure.
//
// A device has one live slot, whatever it plays: pressing play again takes the slot that it has, and playing another
// film lets it lapse. A slot counts while its deadline is ahead. One that lapsed, was freed or was left for another
// film is remembered for a day, so that its device is known again when it comes back, and so that a late heartbeat of
// it is known to be the device's; it counts for nothing.

namespace reelway::origin {

inline constexpr std::int64_t kLapsedSlotKeptSeconds = 86'400;
inline constexpr std::ptrdiff_t kSlotsOfADeviceMax = 4;  // that are remembered, one a title
inline constexpr std::uint32_t kDevicesNamedMax = 5;     // in an error

bool is_live(const Slot& slot, std::int64_t now_s);

// The slot for a device that begins to play. `wanted` is the slot as it is to be, with a new session; the session of
// the device's slot is kept if that is for the same title. stream_limit_reached names the devices that play.
Result<Slot> take_slot(Slots& slots, const Slot& wanted, std::uint32_t streams_max, std::int64_t now_s);
// The slot of a session that goes on playing. One that lapsed or was dropped is taken again if the limit allows.
// session_not_found when its device has gone on to a newer session that is live.
Result<Slot> renew_slot(Slots& slots, const Slot& wanted, std::uint32_t streams_max, std::int64_t now_s);
void free_slot(Slots& slots, std::string_view session, std::int64_t now_s);
void free_slots_of(Slots& slots, std::string_view entitlement);
// Forgets slots that lapsed more than kLapsedSlotKeptSeconds ago, and older lapsed ones until kSlotsMax are left.
void forget_lapsed(Slots& slots, std::int64_t now_s);

}  // namespace reelway::origin
