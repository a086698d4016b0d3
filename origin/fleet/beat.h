#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

// The beat: a record that the origin writes each second, so that the change stream carries its time, and so that its
// silence tells of a store that does not work. Pure.
//
//   /v1/rights/beat  {"format":1,"time_ms":N,"turn":N}

namespace reelway::origin {

inline constexpr std::string_view kRightsPrefix = "/v1/rights/";
inline constexpr std::string_view kEntitlementPrefix = "/v1/rights/ent/";
inline constexpr std::string_view kBeatKey = "/v1/rights/beat";

struct Beat {
  std::int64_t time_ms = 0;  // the origin's time; never goes back
  std::uint64_t turn = 0;    // rises by one with each
  bool operator==(const Beat&) const = default;
};

std::string to_json(const Beat& beat);
Result<Beat> parse_beat(std::string_view json);  // stored_data_corrupt names the key

}  // namespace reelway::origin
