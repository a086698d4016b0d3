#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace reelway::origin::text {

// What the times of one TTML document are counted in (TTML2 section 7.2).
struct TtmlClock {
  double frame_rate = 30;  // with its multiplier
  double sub_frames = 1;   // of a frame
  double tick_rate = 1;
};

// A time expression (TTML2 section 12.3.1) in milliseconds: "00:01:02.5", "00:01:02:12", "62.5s", "1500f", "90000t".
std::optional<std::int64_t> parse_ttml_time(std::string_view text, const TtmlClock& clock);

}  // namespace reelway::origin::text
