#include "origin/fleet/edge_registry.h"

#include <gtest/gtest.h>

#include <string>

namespace reelway::origin {
namespace {

class TestClock final : public Clock {
 public:
  Monotonic monotonic() const override { return now; }
  Wall wall() const override { return {}; }
  Monotonic now{std::chrono::hours(1)};
};

const std::string kWhole = R"(url="http://203.0.113.7:8090/"; version="0.1.0"; draining=0; revision=120; records=7; )"
                           R"(root=00112233445566778899aabbccddeeff; staleness_ms=300; repairs=2; snapshots=1)";

TEST(EdgeState, EveryPartIsTaken) {
  const auto state = parse_edge_state(kWhole);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->url, "http://203.0.113.7:8090");
  EXPECT_EQ(state->version, "0.1.0");
  EXPECT_FALSE(state->draining);
  EXPECT_EQ(state->revision, 120);
  EXPECT_EQ(state->records, 7u);
  ASSERT_TRUE(state->root.has_value());
  EXPECT_EQ(hex_text(*state->root), "00112233445566778899aabbccddeeff");
  EXPECT_EQ(state->staleness, std::chrono::milliseconds(300));
  EXPECT_EQ(state->repairs, 2u);
  EXPECT_EQ(state->snapshots, 1u);
}

TEST(EdgeState, PartsMayBeMissingUnknownAndInAnyOrder) {
  EXPECT_EQ(parse_edge_state("").value(), EdgeState{});
  EXPECT_EQ(parse_edge_state(" ; ;").value(), EdgeState{});
  const auto state = parse_edge_state(R"(later="a;b=c"; draining=1;url="https://e.example")");
  ASSERT_TRUE(state.ok());
  EXPECT_TRUE(state->draining);
  EXPECT_EQ(state->url, "https://e.example");
  EXPECT_EQ(state->staleness, std::nullopt);
}

TEST(EdgeState, OtherFormsAreRefusedByName) {
  for (const std::string text :
       {"draining", "=1", "draining=yes", "draining=0; draining=0", "revision=-1", "revision=1x",
        "revision=", "revision=9223372036854775808", "records= 7", "root=00", "root=zz112233445566778899aabbccddeeff",
        "staleness_ms=1.5", "url=http://a", R"(url="ftp://a")", R"(url="http://a/path")", R"(version="a\"b")",
        R"(version="0123456789012345678901234567890123")"}) {
    const auto state = parse_edge_state(text);
    ASSERT_FALSE(state.ok()) << text;
    EXPECT_EQ(state.error().code, ErrorCode::http_bad_request);
    EXPECT_NE(state.error().detail.find("Reelway-Edge-State"), std::string::npos);
  }
  EXPECT_FALSE(parse_edge_state(std::string(kEdgeStateBytesMax + 1, ' ')).ok());
  std::string many;
  for (int i = 0; i < 33; ++i) many += "a" + std::to_string(i) + "=1;";
  EXPECT_FALSE(parse_edge_state(many).ok());
}

class EdgeRegistryTest : public ::testing::Test {
 protected:
  EdgeRegistry::Standing standing(const std::string& header) {
    EdgeRegistry registry(clock_);
    EXPECT_TRUE(registry.heard("e", header).ok());
    return registry.edges().at(0).standing;
  }
  TestClock clock_;
  EdgeRegistry registry_{clock_};
};

TEST_F(EdgeRegistryTest, HealthyIsHeardFreshAndNotDraining) {
  EXPECT_EQ(standing("staleness_ms=900000"), EdgeRegistry::Standing::healthy);
  EXPECT_EQ(standing("staleness_ms=900001"), EdgeRegistry::Standing::stale);
  EXPECT_EQ(standing("staleness_ms=0; draining=1"), EdgeRegistry::Standing::draining);
  EXPECT_EQ(standing(""), EdgeRegistry::Standing::starting);
}

TEST_F(EdgeRegistryTest, AnEdgeThatFallsSilentIsNotNamed) {
  ASSERT_TRUE(registry_.heard("edge-b", R"(url="http://b"; staleness_ms=1)").ok());
  clock_.now += std::chrono::seconds(10);
  ASSERT_TRUE(registry_.heard("edge-a", R"(url="http://a"; staleness_ms=1)").ok());
  EXPECT_EQ(registry_.healthy_urls(), (std::vector<std::string>{"http://a", "http://b"}));
  clock_.now += std::chrono::milliseconds(1);
  EXPECT_EQ(registry_.healthy_urls(), (std::vector<std::string>{"http://a"}));
  const auto edges = registry_.edges();
  ASSERT_EQ(edges.size(), 2u);
  EXPECT_EQ(edges[1].id, "edge-b");
  EXPECT_EQ(edges[1].standing, EdgeRegistry::Standing::silent);
  EXPECT_EQ(edges[1].heard_ago, std::chrono::milliseconds(10'001));
  ASSERT_TRUE(registry_.heard("edge-b", R"(url="http://b2"; staleness_ms=1)").ok());
  EXPECT_EQ(registry_.healthy_urls(), (std::vector<std::string>{"http://a", "http://b2"}));
  clock_.now += std::chrono::hours(25);
  EXPECT_TRUE(registry_.edges().empty());
}

TEST_F(EdgeRegistryTest, AMalformedHeaderLeavesTheFormerState) {
  ASSERT_TRUE(registry_.heard("e", R"(url="http://e"; staleness_ms=1)").ok());
  clock_.now += std::chrono::seconds(6);
  EXPECT_FALSE(registry_.heard("e", "revision=x").ok());
  EXPECT_EQ(registry_.malformed_count(), 1u);
  EXPECT_EQ(registry_.healthy_urls().size(), 1u);
  clock_.now += std::chrono::seconds(6);
  EXPECT_TRUE(registry_.healthy_urls().empty());
}

TEST_F(EdgeRegistryTest, AnEdgeWithoutAnUrlIsNotNamed) {
  ASSERT_TRUE(registry_.heard("e", "staleness_ms=1").ok());
  EXPECT_EQ(registry_.edges().at(0).standing, EdgeRegistry::Standing::healthy);
  EXPECT_TRUE(registry_.healthy_urls().empty());
}

TEST_F(EdgeRegistryTest, IsBoundedAndForgetsTheLongSilentFirst) {
  for (std::size_t i = 0; i < kEdgesMax; ++i) ASSERT_TRUE(registry_.heard("e" + std::to_string(i), "").ok());
  ASSERT_TRUE(registry_.heard("late", "").ok());
  EXPECT_EQ(registry_.edges().size(), kEdgesMax);
  clock_.now += std::chrono::hours(25);
  ASSERT_TRUE(registry_.heard("late", "").ok());
  ASSERT_EQ(registry_.edges().size(), 1u);
  EXPECT_EQ(registry_.edges()[0].id, "late");
}

}  // namespace
}  // namespace reelway::origin
