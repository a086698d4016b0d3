#include "edge/store/purge_rules.h"

#include <gtest/gtest.h>

namespace reelway::edge {
namespace {

using Kind = PurgeRequest::Kind;

bool matches(Kind kind, const std::string& value, const std::string& key, const std::vector<std::string>& tags = {}) {
  PurgeRules rules;
  const auto added = rules.add({kind, value, false}, 1000);
  EXPECT_TRUE(added.ok()) << value;
  ObjectMeta meta;
  meta.key = key;
  meta.tags = tags;
  const bool by_meta = rules.find(meta) != nullptr;
  std::vector<std::uint64_t> hashes;
  for (const std::string& tag : tags) hashes.push_back(tag_hash(tag));
  EXPECT_EQ(rules.find(key, 0, hashes) != nullptr, by_meta) << "by what the index keeps of it";
  return by_meta;
}

TEST(PurgeRules, AUrlIsOneObjectInAllViewsHostsAndVariants) {
  for (const char* key : {"/f/v1/a.m3u8|all", "/f/v1/a.m3u8|h720", "s|www.example.org|/f/v1/a.m3u8",
                          "s|www.example.org|/f/v1/a.m3u8\taccept-encoding=gzip"}) {
    EXPECT_TRUE(matches(Kind::url, "/f/v1/a.m3u8", key)) << key;
  }
  for (const char* key : {"/f/v1/a.m3u8x|all", "/f/v1/a.m3|all", "s|www.example.org|/f/v1/a.m3u8?x=1",
                          "s|www.example.org|/f/v1/a.m3u8|x", "/a|all"}) {
    EXPECT_FALSE(matches(Kind::url, "/f/v1/a.m3u8", key)) << key;
  }
}

TEST(PurgeRules, AHostNarrowsToItsSite) {
  for (const char* value : {"www.example.org/a", "https://WWW.example.org/a", "http://www.example.org/a"}) {
    EXPECT_TRUE(matches(Kind::url, value, "s|www.example.org|/a")) << value;
    EXPECT_FALSE(matches(Kind::url, value, "s|example.org|/a")) << value;
    EXPECT_FALSE(matches(Kind::url, value, "/a|all")) << value;
  }
  EXPECT_TRUE(matches(Kind::url, "[::1]:80/a", "s|[::1]:80|/a"));
}

TEST(PurgeRules, APrefixIsComparedFromTheStartOfThePath) {
  EXPECT_TRUE(matches(Kind::prefix, "/f/", "/f/v1/a|all"));
  EXPECT_TRUE(matches(Kind::prefix, "/f", "/film/v1/a|all"));
  EXPECT_TRUE(matches(Kind::prefix, "/", "s|h|/x?y"));
  EXPECT_FALSE(matches(Kind::prefix, "/f/", "s|h|/x/f/"));
  EXPECT_TRUE(matches(Kind::prefix, "h/x", "s|h|/xyz"));
}

TEST(PurgeRules, ATagIsComparedWhole) {
  EXPECT_TRUE(matches(Kind::tag, "b", "/x|all", {"a", "b"}));
  EXPECT_FALSE(matches(Kind::tag, "b", "/b|all", {"bb", "a"}));
  EXPECT_FALSE(matches(Kind::tag, "b", "/b|all"));
}

TEST(PurgeRules, ConcernsOnlyWhatBeganBeforeAndPrefersTheHardOne) {
  PurgeRules rules;
  PurgeRule* soft = *rules.add({Kind::prefix, "/", true}, 1000);
  PurgeRule* hard = *rules.add({Kind::tag, "a", false}, 1000);
  EXPECT_LT(soft->epoch, hard->epoch);
  PurgeRule* later_soft = *rules.add({Kind::prefix, "/", true}, 1000);
  ObjectMeta meta;
  meta.key = "/x|all";
  EXPECT_EQ(rules.find(meta), later_soft);
  meta.tags = {"a"};
  EXPECT_EQ(rules.find(meta), hard);
  meta.purge_epoch = rules.epoch();
  EXPECT_EQ(rules.find(meta), nullptr);
  rules.retire(*hard);
  meta.purge_epoch = soft->epoch;
  EXPECT_EQ(rules.find(meta), later_soft);
}

TEST(PurgeRules, EpochsRiseAlsoWhenTheClockFalls) {
  PurgeRules rules;
  rules.raise_epoch(5000);
  const std::uint64_t first = (*rules.add({Kind::tag, "a", false}, 9000))->epoch;
  const std::uint64_t second = (*rules.add({Kind::tag, "a", false}, 10))->epoch;
  EXPECT_EQ(first, 9000u);
  EXPECT_EQ(second, 9001u);
}

TEST(PurgeRules, RefusesWhatCannotBeMeant) {
  PurgeRules rules;
  for (const auto& [kind, value] : std::vector<std::pair<Kind, std::string>>{
           {Kind::url, ""}, {Kind::url, "no-path"}, {Kind::prefix, "http://"}, {Kind::tag, std::string(5000, 'x')}}) {
    const auto added = rules.add({kind, value, false}, 1);
    ASSERT_FALSE(added.ok()) << value;
    EXPECT_EQ(added.error().code, ErrorCode::http_bad_request);
  }
}

TEST(PurgeRules, ReadsBackWhatItWrote) {
  PurgeRules rules;
  PurgeRule* rule = *rules.add({Kind::prefix, "www.example.org/a", true}, 777);
  const Bytes stored = PurgeRules::encode(*rule);
  PurgeRules other;
  const PurgeRule* read = other.restore(stored);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(PurgeRules::encode(*read), stored);
  EXPECT_EQ(other.epoch(), rule->epoch);
  for (std::size_t cut = 0; cut < stored.size(); ++cut) {
    EXPECT_EQ(other.restore(ByteView(stored).first(cut)), nullptr) << cut;
  }
}

TEST(PurgeRules, ListsTheFirstHundred) {
  PurgeRules rules;
  PurgeRule* rule = *rules.add({Kind::prefix, "/", false}, 1);
  for (int i = 0; i < 100; ++i) rule->note("/" + std::to_string(i), i % 2 == 0, true);
  EXPECT_FALSE(rule->found.is_truncated);
  rule->note("/more", true, false);
  EXPECT_TRUE(rule->found.is_truncated);
  EXPECT_EQ(rule->found.keys.size(), 100u);
  EXPECT_EQ(rule->found.objects, 101u);
  EXPECT_EQ(rule->found.memory_objects, 51u);
  EXPECT_EQ(rule->found.disk_objects, 100u);
}

}  // namespace
}  // namespace reelway::edge
