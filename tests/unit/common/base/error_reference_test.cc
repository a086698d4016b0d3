#include "common/base/error_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/base/error_codes.h"
#include "tests/support/generated_file.h"

namespace reelway {
namespace {

TEST(ErrorReference, IsWhatTheRepositoryHolds) {
  expect_generated("docs/reference/errors.md", error_reference());
}

TEST(ErrorReference, HasARowForEveryCode) {
  const std::string page = error_reference();
  for (const ErrorInfo& info : error_table()) {
    EXPECT_THAT(page, testing::HasSubstr("| `" + std::string(info.name) + "` | " + std::to_string(info.http_status)));
  }
}

TEST(ErrorTable, NamesAreUniqueAndTextsFitATable) {
  std::set<std::string_view> names;
  for (const ErrorInfo& info : error_table()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_GE(info.http_status, 400) << info.name;
    EXPECT_FALSE(info.meaning.empty() || info.remedy.empty()) << info.name;
    EXPECT_EQ(info.meaning.find('|'), std::string_view::npos) << info.name;
    EXPECT_EQ(info.remedy.find('|'), std::string_view::npos) << info.name;
    // describe() adds the full stops.
    EXPECT_FALSE(info.meaning.ends_with('.') || info.remedy.ends_with('.')) << info.name;
  }
}

}  // namespace
}  // namespace reelway
