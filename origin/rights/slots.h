#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "origin/rights/records.h"

// The stream slots of one account. Pure.
//
// A device has one slot, whatever it plays: pressing play again, or playing another film, takes the slot that it has.
// A slot counts while its deadline is ahead. One that lapsed is remembered for a day, so that its device, when it
// comes back, is known again; it counts for nothing.

namespace reelway::origin {

inline constexpr std::int64_t kLapsedSlotKeptSeconds = 86'400;

bool is_live(const Slot& slot, std::int64_t now_s);

// The slot for a device that begins to play. `wanted` is the slot as it is to be, with a new session; the session of
// the device's slot is kept if that is for the same title. stream_limit_reached names the devices that play.
Result<Slot> take_slot(Slots& slots, const Slot& wanted, std::uint32_t streams_max, std::int64_t now_s);
// The slot of a session that goes on playing. One that lapsed or was dropped is taken again if the limit allows.
Result<Slot> renew_slot(Slots& slots, const Slot& wanted, std::uint32_t streams_max, std::int64_t now_s);
void free_slot(Slots& slots, std::string_view session);
void free_slots_of(Slots& slots, std::string_view entitlement);
// Forgets slots that lapsed more than kLapsedSlotKeptSeconds ago, and older lapsed ones until kSlotsMax are left.
void forget_lapsed(Slots& slots, std::int64_t now_s);

}  // namespace reelway::origin
