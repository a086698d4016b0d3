#include "common/telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/telemetry/escape.h"

namespace reelway::telemetry {
namespace {

using testing::MatchesRegex;

TEST(Log, LineHasTimeLevelProgramAndText) {
  start_log("reelway-test", LogLevel::info);
  testing::internal::CaptureStderr();
  log_info("served {} of {}", 3, "film");
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_THAT(line, MatchesRegex("[0-9-]+T[0-9:]+\\.[0-9][0-9][0-9]Z info reelway-test: served 3 of film\n"));
}

TEST(Log, LevelIsALowerLimit) {
  start_log("reelway-test", LogLevel::warn);
  testing::internal::CaptureStderr();
  log_info("no");
  log(LogLevel::debug, "no");
  log_warn("yes");
  log_error("yes");
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_FALSE(log_enabled(LogLevel::info));
  EXPECT_TRUE(log_enabled(LogLevel::error));
}

TEST(Log, ClientCannotForgeALine) {
  start_log("reelway-test", LogLevel::info);
  testing::internal::CaptureStderr();
  log_info("agent {}", "x\n2026-01-01T00:00:00.000Z error reelway-test: forged\x1b[2J");
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_THAT(line, testing::HasSubstr("x\\n2026-01-01T"));
  EXPECT_THAT(line, testing::HasSubstr("forged\\x1b[2J"));
}

TEST(Log, TextIsNotAFormat) {
  testing::internal::CaptureStderr();
  log_line(LogLevel::error, "{} {0} %s");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr(": {} {0} %s\n"));
}

TEST(ParseLogLevel, KnowsTheNames) {
  EXPECT_EQ(parse_log_level("debug"), LogLevel::debug);
  EXPECT_EQ(parse_log_level("error"), LogLevel::error);
  EXPECT_EQ(parse_log_level("Error"), std::nullopt);
}

TEST(RedactPath, HidesTokenAndQuery) {
  EXPECT_EQ(redact_path("/t/SECRET/film/v1/master.m3u8?x=SECRET"), "/t/-/film/v1/master.m3u8");
  EXPECT_EQ(redact_path("/t/SECRET"), "/t/-");
  EXPECT_EQ(redact_path("/t/SECRET?x"), "/t/-");
  EXPECT_EQ(redact_path("/t//film"), "/t/-/film");
  EXPECT_EQ(redact_path("/v1/state?token=SECRET"), "/v1/state");
  EXPECT_EQ(redact_path("/titles/film"), "/titles/film");
  EXPECT_EQ(redact_path(""), "");
}

TEST(EscapeControl, LeavesTextAlone) {
  EXPECT_EQ(escape_control("plain \"text\" é 漢 🎬"), "plain \"text\" é 漢 🎬");
}

TEST(EscapeControl, ShowsWhatIsNoText) {
  EXPECT_EQ(escape_control(std::string("\0\x7f\t\r\n\\", 6)), "\\x00\\x7f\\t\\r\\n\\\\");
  EXPECT_EQ(escape_control("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(escape_control("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(escape_control("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(escape_control("\xc2\x9b[2J"), "\\xc2\\x9b[2J") << "C1 control";
}

}  // namespace
}  // namespace reelway::telemetry
