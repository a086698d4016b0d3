#include "common/http/date.h"

#include <gtest/gtest.h>

namespace reelway::http {
namespace {

constexpr std::int64_t kExample = 784111777;  // the instant of RFC 9110 section 5.6.7

TEST(FormatDate, WritesImfFixdate) {
  EXPECT_EQ(format_date(kExample), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_date(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(format_date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST(ParseDate, TakesAllThreeForms) {
  EXPECT_EQ(parse_date("Sun, 06 Nov 1994 08:49:37 GMT"), kExample);
  EXPECT_EQ(parse_date("Sunday, 06-Nov-94 08:49:37 GMT"), kExample);
  EXPECT_EQ(parse_date("Sun Nov  6 08:49:37 1994"), kExample);
  EXPECT_EQ(parse_date("Wed Nov 16 08:49:37 1994"), kExample + 10 * 86400);
}

TEST(ParseDate, TwoDigitYears) {
  EXPECT_EQ(parse_date("Thursday, 01-Jan-70 00:00:00 GMT"), 0);
  EXPECT_EQ(parse_date("Monday, 01-Jan-69 00:00:00 GMT"), 3124224000);
}

TEST(ParseDate, LeapSecondIsTheSecondAfter) {
  EXPECT_EQ(parse_date("Sat, 31 Dec 2016 23:59:60 GMT"), parse_date("Sun, 01 Jan 2017 00:00:00 GMT"));
}

TEST(ParseDate, RefusesTheRest) {
  for (const char* text :
       {"", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun Nov 6 08:49:37 1994",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_date(text), std::nullopt) << text;
  }
}

TEST(ParseDate, ReadsWhatFormatWrites) {
  for (std::int64_t time = 0; time < 8'000'000'000; time += 86'399 * 37) EXPECT_EQ(parse_date(format_date(time)), time);
}

// Senders must write names as the RFC does; a date that is clear all the same is read.
TEST(ParseDate, NamesInAnyCase) {
  for (const char* text : {"sun, 06 nov 1994 08:49:37 gmt", "SUN, 06 NOV 1994 08:49:37 GMT",
                           "SUNDAY, 06-nov-94 08:49:37 gMT", "sUN nOV  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_date(text), 784111777) << text;
  }
}

}  // namespace
}  // namespace reelway::http
