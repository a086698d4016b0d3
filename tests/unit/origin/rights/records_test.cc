#include "origin/rights/records.h"

#include "tests/unit/origin/rights/rights_fixture.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

EntitlementRecord example() {
  EntitlementRecord made;
  made.id = {1, 2, 3};
  made.account = "ann@example.org";
  made.title = "film";
  made.offer = "sd";
  made.terms.max_height = 480;
  made.terms.languages = {"de", "en"};
  made.terms.streams_max = 3;
  made.record = rights::started(rights::ordered(rights::Kind::rental, made.terms, kNow), made.terms, kNow + 5);
  made.record.state = rights::State::refunded;
  made.ordered_at_s = kNow;
  made.ended_at_s = kNow + 9;
  made.end_reason = "asked for \"it\"";
  return made;
}

TEST(RightsRecords, EntitlementComesBackAsItWas) {
  const EntitlementRecord made = example();
  const std::string key = entitlement_key(made.id);
  const auto read = parse_entitlement(key, to_json(made));
  ASSERT_TRUE(read.ok()) << describe(read.error());
  EXPECT_EQ(read->id, made.id);
  EXPECT_EQ(read->account, made.account);
  EXPECT_EQ(read->title, made.title);
  EXPECT_EQ(read->offer, made.offer);
  EXPECT_EQ(read->record, made.record);
  EXPECT_EQ(read->terms, made.terms);
  EXPECT_EQ(read->ordered_at_s, made.ordered_at_s);
  EXPECT_EQ(read->ended_at_s, made.ended_at_s);
  EXPECT_EQ(read->end_reason, made.end_reason);
  EXPECT_EQ(to_json(*read), to_json(made));
}

TEST(RightsRecords, OthersComeBackAsTheyWere) {
  const auto order = parse_order_result("k", to_json(OrderResult{"rental\nfilm\nsd", kNow, R"({"a":[1,"x"]})"}));
  ASSERT_TRUE(order.ok());
  EXPECT_EQ(order->fingerprint, "rental\nfilm\nsd");
  EXPECT_EQ(order->answer, R"({"a":[1,"x"]})");
  const Slots slots{{"aa", "id", "film", "tv", 5, 4}, {"bb", "id", "film", "", 7, 6}};
  EXPECT_EQ(parse_slots("k", to_json(slots)).value(), slots);
  EXPECT_EQ(parse_position("k", to_json(ResumePosition{77, kNow}))->position_s, 77);
  const rights::EntitlementId id{9};
  EXPECT_EQ(parse_newest_entitlement("k", newest_entitlement_json(id)).value(), id);
  EXPECT_EQ(parse_offer("k", offer_json(example().terms)).value(), example().terms);
}

TEST(RightsRecords, EveryDamagedFieldIsFoundAndTheKeyNamed) {
  const EntitlementRecord made = example();
  const std::string key = entitlement_key(made.id);
  const json whole = json::parse(to_json(made));
  const auto expect_corrupt = [&](const json& damaged) {
    const auto read = parse_entitlement(key, damaged.dump());
    ASSERT_EQ(code(read), "stored_data_corrupt") << damaged;
    EXPECT_NE(read.error().detail.find(key), std::string::npos);
  };
  for (const auto& [name, value] : whole.items()) {
    json damaged = whole;
    damaged.erase(name);
    expect_corrupt(damaged);
    damaged[name] = json::array({1});
    expect_corrupt(damaged);
    if (!value.is_number()) continue;
    for (const json& wrong : {json(-1), json(1.5), json(UINT64_MAX)}) {
      damaged[name] = wrong;
      expect_corrupt(damaged);
    }
  }
  for (const auto& [name, value] : whole.at("terms").items()) {
    json damaged = whole;
    damaged["terms"][name] = "x";
    expect_corrupt(damaged);
  }
  json damaged = whole;
  damaged["state"] = "kept";
  expect_corrupt(damaged);
  for (const char* text : {"", "null", "[]", "{", "{\"format\":2}"}) {
    EXPECT_EQ(code(parse_entitlement(key, text)), "stored_data_corrupt") << text;
    EXPECT_EQ(code(parse_slots("k", text)), "stored_data_corrupt") << text;
    EXPECT_EQ(code(parse_order_result("k", text)), "stored_data_corrupt") << text;
    EXPECT_EQ(code(parse_offer("k", text)), "stored_data_corrupt") << text;
  }
  EXPECT_EQ(code(parse_entitlement("/v1/rights/ent/short", whole.dump())), "stored_data_corrupt");
}

}  // namespace
}  // namespace reelway::origin
