#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/result.h"

namespace reelway::origin::text {

// The lines of a text that ends them in any way (CR, LF, both), with their numbers from 1.
class TextLines {
 public:
  explicit TextLines(std::string_view text) : rest_(text) { next(); }

  bool at_end() const { return !line_; }
  std::string_view line() const { return *line_; }  // not at_end()
  std::size_t number() const { return number_; }
  void next();

 private:
  std::string_view rest_;
  std::optional<std::string_view> line_;
  bool ended_ = false;
  std::size_t number_ = 0;
};

std::string_view trimmed(std::string_view text);  // of blanks and tabs
bool has_arrow(std::string_view line);            // "-->": a line of times

// "01:02:03.500", "02:03.500", and SRT's comma; up to 999 hours.
std::optional<std::uint32_t> parse_time_ms(std::string_view text);

// A line of times: "00:01.000 --> 00:02.000 align:start". Nothing when it is not one.
struct TimeLine {
  std::uint32_t from_ms = 0, to_ms = 0;
  std::string_view settings;
};
std::optional<TimeLine> parse_time_line(std::string_view line);

// What both line formats ask of a file first: its length, its encoding; a byte order mark is taken off.
Result<std::string_view> plain_text(std::string_view file);

}  // namespace reelway::origin::text
