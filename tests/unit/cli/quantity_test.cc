#include "cli/quantity.h"

#include <gtest/gtest.h>

namespace reelway::cli {
namespace {

using namespace std::chrono_literals;

TEST(Quantity, ParsesDurations) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("90s"), 90s);
  EXPECT_EQ(parse_duration("24h"), 24h);
  EXPECT_EQ(parse_duration("7d"), 168h);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(Quantity, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "24", "h", "-1h", "1 h", "1.5h", "24x", "h24", "1h30", "99999999999999999999s", "36501d",
                           "9223372036854775807ms"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Quantity, ParsesMoments) {
  EXPECT_EQ(parse_moment("1800000000", 5), 1800000000);
  EXPECT_EQ(parse_moment("2h", 1000), 8200);
  EXPECT_EQ(parse_moment("2027-01-15T08:00:00Z", 0), 1800000000);
  for (const char* text :
       {"", "tomorrow", "2027-01-15", "2027-01-15T08:00:00", "2027-01-15T08:00:00Zx", "2027-13-15T08:00:00Z"}) {
    EXPECT_FALSE(parse_moment(text, 0)) << text;
  }
}

TEST(Quantity, FormatsSizesAndRates) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.0 kB");
  EXPECT_EQ(format_bytes(999'950), "1.0 MB");
  EXPECT_EQ(format_bytes(12'345'678), "12.3 MB");
  EXPECT_EQ(format_bytes(5'000'000'000'000'000), "5000.0 TB");
  EXPECT_EQ(format_rate(1'500'000), "1.5 MB/s");
  EXPECT_EQ(format_bit_rate(2'400'000), "2.4 Mbit/s");
}

TEST(Quantity, FormatsTimes) {
  EXPECT_EQ(format_countdown(7s), "0:07");
  EXPECT_EQ(format_countdown(750s), "12:30");
  EXPECT_EQ(format_countdown(3723s), "1:02:03");
  EXPECT_EQ(format_play_time(16000ms), "0:16.000");
  EXPECT_EQ(format_play_time(5525250ms), "1:32:05.250");
  EXPECT_EQ(format_span(45s), "45 s");
  EXPECT_EQ(format_span(12min), "12 min");
  EXPECT_EQ(format_span(24h), "24 h 0 min");
  EXPECT_EQ(format_span(148h), "6 d 4 h");
  EXPECT_EQ(format_utc(1800000000), "2027-01-15 08:00:00 UTC");
}

}  // namespace
}  // namespace reelway::cli
