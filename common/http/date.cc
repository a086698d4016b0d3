#include "common/http/date.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "common/base/check.h"
#include "common/http/message.h"

namespace reelway::http {
namespace {

using std::chrono::sys_days;

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Reads a date from left to right; the first thing that is not as expected fails the whole. Names may be in any case:
// senders must use this one, but a date that is clear all the same is better than none.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  template <std::size_t N>
  unsigned one_of(const std::array<std::string_view, N>& names) {
    const auto found = std::find_if(names.begin(), names.end(), [&](auto name) { return begins_with(name); });
    if (found == names.end()) {
      failed_ = true;
      return 0;
    }
    rest_.remove_prefix(found->size());
    return static_cast<unsigned>(found - names.begin());
  }

  void literal(std::string_view text) {
    if (begins_with(text)) {
      rest_.remove_prefix(text.size());
    } else {
      failed_ = true;
    }
  }

  unsigned number(std::size_t digits) {
    unsigned value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (i >= rest_.size() || rest_[i] < '0' || rest_[i] > '9') {
        failed_ = true;
        return 0;
      }
      value = value * 10 + static_cast<unsigned>(rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }

  // The day of asctime(): two places, the first of them a blank below 10.
  unsigned padded_day() {
    if (!rest_.starts_with(' ')) return number(2);
    rest_.remove_prefix(1);
    return number(1);
  }

  void time_of_day() {
    hour_ = number(2);
    literal(":");
    minute_ = number(2);
    literal(":");
    second_ = number(2);
    failed_ = failed_ || hour_ > 23 || minute_ > 59 || second_ > 60;
  }

  std::optional<std::int64_t> finish(unsigned year, unsigned month_index, unsigned day) const {
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                           std::chrono::month(month_index + 1), std::chrono::day(day)};
    if (failed_ || !rest_.empty() || !date.ok()) return std::nullopt;
    const std::int64_t days = sys_days(date).time_since_epoch().count();
    // A leap second is the same instant as the second after it in a count that has none.
    return days * 86400 + static_cast<std::int64_t>(hour_ * 3600 + minute_ * 60 + second_);
  }

 private:
  bool begins_with(std::string_view text) const { return names_equal(rest_.substr(0, text.size()), text); }

  std::string_view rest_;
  bool failed_ = false;
  unsigned hour_ = 0;
  unsigned minute_ = 0;
  unsigned second_ = 0;
};

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<std::int64_t> parse_imf(std::string_view text) {
  DateReader reader(text);
  reader.one_of(kDays);
  reader.literal(", ");
  const unsigned day = reader.number(2);
  reader.literal(" ");
  const unsigned month = reader.one_of(kMonths);
  reader.literal(" ");
  const unsigned year = reader.number(4);
  reader.literal(" ");
  reader.time_of_day();
  reader.literal(" GMT");
  return reader.finish(year, month, day);
}

// "Sunday, 06-Nov-94 08:49:37 GMT". RFC 9110 puts the century by the reader's present; a fixed window of 1970 to 2069
// needs no clock here and says the same for every date that a sender of this obsolete form can mean.
std::optional<std::int64_t> parse_rfc850(std::string_view text) {
  DateReader reader(text);
  reader.one_of(kLongDays);
  reader.literal(", ");
  const unsigned day = reader.number(2);
  reader.literal("-");
  const unsigned month = reader.one_of(kMonths);
  reader.literal("-");
  const unsigned year = reader.number(2);
  reader.literal(" ");
  reader.time_of_day();
  reader.literal(" GMT");
  return reader.finish(year >= 70 ? 1900 + year : 2000 + year, month, day);
}

// "Sun Nov  6 08:49:37 1994"
std::optional<std::int64_t> parse_asctime(std::string_view text) {
  DateReader reader(text);
  reader.one_of(kDays);
  reader.literal(" ");
  const unsigned month = reader.one_of(kMonths);
  reader.literal(" ");
  const unsigned day = reader.padded_day();
  reader.literal(" ");
  reader.time_of_day();
  reader.literal(" ");
  const unsigned year = reader.number(4);
  return reader.finish(year, month, day);
}

void append_padded(std::string& text, unsigned value, unsigned divisor) {
  for (; divisor > 0; divisor /= 10) text.push_back(static_cast<char>('0' + value / divisor % 10));
}

}  // namespace

std::string format_date(std::int64_t unix_s) {
  const auto instant = std::chrono::sys_seconds(std::chrono::seconds(unix_s));
  const auto days = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(days);
  CHECK(date.year() >= std::chrono::year(0) && date.year() <= std::chrono::year(9999));
  const auto seconds = static_cast<unsigned>((instant - days).count());
  std::string text;
  text.reserve(29);
  text.append(kDays[std::chrono::weekday(days).c_encoding()]).append(", ");
  append_padded(text, static_cast<unsigned>(date.day()), 10);
  text.append(" ").append(kMonths[static_cast<unsigned>(date.month()) - 1]).append(" ");
  append_padded(text, static_cast<unsigned>(static_cast<int>(date.year())), 1000);
  text.append(" ");
  append_padded(text, seconds / 3600, 10);
  text.append(":");
  append_padded(text, seconds / 60 % 60, 10);
  text.append(":");
  append_padded(text, seconds % 60, 10);
  return text.append(" GMT");
}

std::optional<std::int64_t> parse_date(std::string_view text) {
  if (auto date = parse_imf(text)) return date;
  if (auto date = parse_rfc850(text)) return date;
  return parse_asctime(text);
}

}  // namespace reelway::http
