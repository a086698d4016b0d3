#include "common/base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>

#include "common/base/result.h"

namespace reelway {
namespace {

TEST(Error, EveryCodeHasANameAStatusAMeaningAndARemedy) {
  std::set<std::string_view> names;
  for (const ErrorInfo& info : error_table()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name << " twice";
    EXPECT_GE(info.http_status, 400) << info.name;
    EXPECT_FALSE(info.meaning.empty()) << info.name;
    EXPECT_FALSE(info.remedy.empty()) << info.name;
  }
}

TEST(Error, DescribesCauseAndRemedy) {
  const Error error{.code = ErrorCode::token_expired, .detail = "12 s ago"};
  EXPECT_EQ(describe(error),
            "token_expired: the token's time is over (12 s ago). Remedy: ask the origin for a new play URL.");
}

TEST(Error, JsonSurvivesBytesThatAreNotText) {
  const auto parsed = nlohmann::json::parse(error_json({.code = ErrorCode::http_malformed, .detail = "\xff\xfe"}));
  EXPECT_EQ(parsed["error"]["code"], "http_malformed");
}

TEST(Error, SystemErrorsAreMappedByTheirMeaning) {
  EXPECT_EQ(system_error("write", "/a", ENOSPC).code, ErrorCode::disk_full);
  EXPECT_EQ(system_error("bind", "127.0.0.1:80", EADDRINUSE).code, ErrorCode::port_in_use);
  EXPECT_EQ(system_error("open", "/a", ENOENT).code, ErrorCode::not_found_on_disk);
  EXPECT_EQ(system_error("read", "/a", EIO).code, ErrorCode::io_failed);
  EXPECT_TRUE(system_error("read", "/a", EAGAIN).retry);
}

Result<int> half(int value) {
  if (value % 2 != 0) return Error{.code = ErrorCode::http_bad_request, .detail = "odd"};
  return value / 2;
}

Result<int> quarter(int value) {
  auto first = half(value);
  REELWAY_TRY(first);
  return half(*first);
}

TEST(Result, CarriesValueOrTheFirstError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().detail, "odd");
}

}  // namespace
}  // namespace reelway
