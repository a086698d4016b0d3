#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// WebVTT and SRT as cues. Pure; any input is safe.

namespace reelway::origin {

struct Cue {
  double from_s = 0, to_s = 0;
  std::vector<std::string> lines;  // with their tags
};

struct Subtitles {
  std::vector<Cue> cues;       // in the order of the file
  std::size_t time_lines = 0;  // lines that look like a cue's times, readable or not
};
inline constexpr std::size_t kSubtitleBytesMax = 8 << 20;
inline constexpr std::size_t kCuesMax = 50'000;

// Either format, told by its header; a byte order mark and any line ends are taken. WebVTT's blocks STYLE, REGION and
// NOTE are skipped. media_unreadable: not UTF-8, over a limit, or no cue in it, and when cues were lost: fewer came out
// than lines of times went in.
Result<Subtitles> parse_subtitles(std::string_view text);

// "01:02:03.500", "02:03.500" and SRT's comma. Negative when it is no time.
double parse_cue_time(std::string_view text);

// A line without its tags and with its entities read: what is seen.
std::string seen_text(std::string_view line);
// Characters as an eye counts them: letters that combine count nothing, those of East Asian scripts two and a half.
double seen_length(std::string_view line);
// Tags that were opened and not closed, or the other way round, over all lines of a cue; and asterisks used as markup.
bool has_broken_markup(const Cue& cue);
bool is_utf8(std::string_view text);

}  // namespace reelway::origin
