#include "origin/catalog/title_history.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

VersionRecord version(const char* name, VersionState state = VersionState::published) {
  VersionRecord record;
  record.version = name;
  record.state = state;
  return record;
}

TEST(TitleHistory, FormerVersionIsTheOneThatPlayedBefore) {
  TitleRecord title;
  title.current_version = "v3";
  const std::vector<VersionRecord> all{version("v1"), version("v2"), version("v3"), version("v4")};
  note(title, {TitleAction::publish, "v1", "", "", 1});
  note(title, {TitleAction::publish, "v2", "", "", 2});
  note(title, {TitleAction::roll_back, "v1", "ann", "", 3});
  note(title, {TitleAction::publish, "v3", "", "", 4});
  note(title, {TitleAction::unpublish, "v3", "ann", "", 5});
  note(title, {TitleAction::publish, "v3", "ann", "", 6});
  EXPECT_EQ(former_version(title, all), "v1");  // and not v2, which was rolled back from
  // One that is published no longer is passed over.
  EXPECT_EQ(former_version(title, {version("v1", VersionState::failed), version("v2"), version("v3")}), "v2");
}

TEST(TitleHistory, WithoutAHistoryTheNumbersSayIt) {
  TitleRecord title;
  title.current_version = "v10";
  EXPECT_EQ(former_version(title, {version("v1"), version("v2"), version("v9"), version("v10"), version("v11")}), "v9");
  EXPECT_EQ(former_version(title, {version("v9", VersionState::ready), version("v10")}), std::nullopt);
  title.current_version = "v1";
  EXPECT_EQ(former_version(title, {version("v1"), version("v2")}), std::nullopt);
}

TEST(TitleHistory, IsBounded) {
  TitleRecord title;
  for (std::size_t i = 0; i < kTitleEventsMax + 3; ++i) {
    note(title, {TitleAction::publish, "v1", "", "", static_cast<std::int64_t>(i)});
  }
  EXPECT_EQ(title.history.size(), kTitleEventsMax);
  EXPECT_EQ(title.history.front().at_ms, 3);
}

}  // namespace
}  // namespace reelway::origin
