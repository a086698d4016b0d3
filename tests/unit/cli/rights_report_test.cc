#include "cli/rights_report.h"

#include <gtest/gtest.h>

namespace reelway::cli {
namespace {

Json entitlement(const std::string& kind, const std::string& standing) {
  return {{"kind", kind}, {"standing", standing}, {"start_by_s", 1800000000}, {"view_until_s", 1800003600}};
}

TEST(RightsReport, StandingSaysWhatHappensNext) {
  EXPECT_EQ(standing_text(entitlement("rental", "unstarted")), "starts before 2027-01-15 08:00:00 UTC");
  EXPECT_EQ(standing_text(entitlement("rental", "started")), "plays until 2027-01-15 09:00:00 UTC");
  EXPECT_EQ(standing_text(entitlement("purchase", "unstarted")), "plays until 2027-01-15 08:00:00 UTC");
  EXPECT_EQ(standing_text({{"kind", "purchase"}, {"standing", "started"}, {"view_until_s", 0}}), "plays without end");
  Json ended = entitlement("rental", "ended:entitlement_revoked");
  ended["ended_at_s"] = 1800000000;
  EXPECT_EQ(standing_text(ended), "entitlement_revoked at 2027-01-15 08:00:00 UTC");
  ended.update({{"state", "refunded"}, {"end_reason", "did not\x1b play"}});
  EXPECT_EQ(standing_text(ended), "entitlement_revoked at 2027-01-15 08:00:00 UTC, refunded: did not? play");
  Json over = entitlement("rental", "ended:rental_over");
  over["state"] = "active";
  EXPECT_EQ(standing_text(over), "rental_over");
  EXPECT_EQ(standing_text(Json()), "");
}

TEST(RightsReport, OrderNamesWhatWasSold) {
  Json order = entitlement("rental", "unstarted");
  order.update({{"title", "film"},
                {"account", "ann\x1b"},
                {"offer", "sd"},
                {"entitlement", "ID"},
                {"max_height", 480},
                {"languages", {"de", "en"}},
                {"streams_max", 2}});
  EXPECT_EQ(order_report(order),
            "Rented film for ann?, offer sd: starts before 2027-01-15 08:00:00 UTC\n"
            "  entitlement  ID\n  renditions   480p\n  languages    de en\n  streams      2\n");
  order["upgraded"] = true;
  EXPECT_TRUE(order_report(order).starts_with("Upgraded to a purchase of film"));
}

TEST(RightsReport, AnOrderThatMayBeRepeatedNamesItsKey) {
  const auto detail = [](ErrorCode code, bool retry, std::string text) {
    return order_error({code, Side::upstream, retry, std::move(text)}, "K").detail;
  };
  EXPECT_EQ(detail(ErrorCode::timed_out, true, "30 s"), "30 s; repeat it safely with --key K");
  EXPECT_EQ(detail(ErrorCode::store_unknown, true, ""), "repeat it safely with --key K");
  EXPECT_EQ(detail(ErrorCode::upstream_failed, false, "no JSON"), "no JSON; repeat it safely with --key K");
  EXPECT_EQ(detail(ErrorCode::already_entitled, false, "film"), "film");
}

TEST(RightsReport, ARevocationSaysWhetherItEndedAnything) {
  Json answer{{"kind", "rental"}, {"title", "film"}, {"account", "ann"}, {"state", "refunded"}};
  EXPECT_TRUE(revoke_report(answer).starts_with("rental of film for ann is refunded: edges refuse it"));
  answer["already_ended"] = false;
  EXPECT_TRUE(revoke_report(answer).starts_with("rental of film for ann is refunded: "));
  answer["already_ended"] = true;
  EXPECT_EQ(revoke_report(answer), "rental of film for ann had ended before, as refunded: nothing was changed.\n");
}

TEST(RightsReport, APathWithoutAnEdgeIsNoUrl) {
  EXPECT_TRUE(check_edge_known({{"urls", {"http://e/t/x"}}}).ok());
  const auto refused = check_edge_known({{"master_url", "/t/x"}, {"urls", Json::array()}});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().detail.find("public_edges"), std::string::npos);
}

TEST(RightsReport, EntitlementsAndWhatPlays) {
  Json answer{{"entitlements", {entitlement("rental", "started")}}, {"sessions", Json::array()}};
  EXPECT_EQ(entitlements_report(answer, {}).find("PLAYING ON"), std::string::npos);
  answer["sessions"] = {
      {{"device", "tv"}, {"title", "film"}, {"started_at_s", 1800000000}, {"deadline_s", 1800000150}}};
  const std::string text = entitlements_report(answer, {});
  EXPECT_NE(text.find("tv          film   2027-01-15 08:00:00 UTC  2027-01-15 08:02:30 UTC"), std::string::npos)
      << text;
}

TEST(RightsReport, OffersAndEdges) {
  const std::string offers = offers_report({{"offers",
                                             {{{"title", "-"},
                                               {"name", "sd"},
                                               {"start_window_s", 2592000},
                                               {"play_window_s", 172800},
                                               {"max_height", 480},
                                               {"languages", Json::array()},
                                               {"streams_max", 2},
                                               {"licence_end_s", 0}}}}},
                                           {});
  EXPECT_NE(offers.find("all titles  sd"), std::string::npos) << offers;
  EXPECT_NE(offers.find("480p"), std::string::npos) << offers;
  EXPECT_TRUE(edges_report({{"edges", Json::array()}}, {}).starts_with("No edge"));
  const std::string edges =
      edges_report({{"revision", 9},
                    {"records", 2},
                    {"root", "ab"},
                    {"edges",
                     {{{"edge", "e1"},
                       {"state", "healthy"},
                       {"heard_ms_ago", 2900},
                       {"revision", 9},
                       {"staleness_ms", 340},
                       {"in_step", true}},
                      {{"edge", "e2"}, {"state", "stale"}, {"in_step", false}},
                      {{"edge", "e4"},
                       {"state", "silent"},
                       {"heard_ms_ago", 600000},
                       {"revision", 8},
                       {"staleness_ms", 560},
                       {"in_step", true}},
                      {{"edge", "e3"}, {"state", "starting"}, {"staleness_ms", nullptr}, {"in_step", nullptr}}}}},
                   {});
  EXPECT_NE(edges.find("0.3 s  matches"), std::string::npos) << edges;
  EXPECT_NE(edges.find("2 s ago"), std::string::npos) << edges;
  EXPECT_NE(edges.find("10 min ago"), std::string::npos) << edges;
  EXPECT_EQ(edges.find("0.6 s"), std::string::npos) << edges;
  EXPECT_NE(edges.find("DIFFERS"), std::string::npos) << edges;
  EXPECT_NE(edges.find("unknown  unknown"), std::string::npos) << edges;
  EXPECT_NE(edges.find("Origin: revision 9, 2 records, digest ab\n"), std::string::npos) << edges;
}

}  // namespace
}  // namespace reelway::cli
