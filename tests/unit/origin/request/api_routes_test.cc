#include "origin/request/api_routes.h"

#include <gtest/gtest.h>

#include <set>

#include "origin/request/body_fields.h"
#include "origin/request/iso_time.h"
#include "origin/request/metrics.h"

namespace reelway::origin {
namespace {

using http::Method;

TEST(ApiRoutes, FindsRoutesAndTheirParameters) {
  EXPECT_EQ(match_route(Method::get, "/v1/titles").route->name, "list_titles");
  EXPECT_EQ(match_route(Method::head, "/v1/titles").route->name, "list_titles");
  EXPECT_EQ(match_route(Method::post, "/v1/titles").route->name, "create_title");
  const RouteMatch title = match_route(Method::get, "/v1/titles/film");
  EXPECT_EQ(title.route->name, "show_title");
  EXPECT_EQ(title.parameters, std::vector<std::string>{"film"});
  EXPECT_EQ(match_route(Method::post, "/v1/keys/7/retire").parameters, std::vector<std::string>{"7"});
  EXPECT_EQ(match_route(Method::post, "/v1/keys/rotate").route->name, "rotate_keys");
  EXPECT_EQ(match_route(Method::get, "/v1/titles/film/quality").route->name, "show_quality");
  EXPECT_EQ(match_route(Method::post, "/v1/titles/film/versions/v1/quality/black-1/waive").parameters,
            (std::vector<std::string>{"film", "v1", "black-1"}));
  EXPECT_EQ(match_route(Method::put, "/v1/uploads/ab").route->kind, RouteKind::upload);
}

TEST(ApiRoutes, TellsAWrongMethodFromAWrongPath) {
  const RouteMatch wrong_method = match_route(Method::delete_, "/v1/titles");
  EXPECT_EQ(wrong_method.route, nullptr);
  EXPECT_EQ(wrong_method.allow, "POST, GET, HEAD");
  for (const char* path :
       {"", "/", "/v1", "/v1/", "/v1/titles/", "/v1/titles/a/b", "v1/titles", "/v1/title", "/v1/keys//retire"}) {
    const RouteMatch none = match_route(Method::get, path);
    EXPECT_EQ(none.route, nullptr) << path;
    EXPECT_EQ(none.allow, "") << path;
  }
  EXPECT_EQ(match_route(Method::get, "/v1/titles/" + std::string(129, 'a')).route, nullptr);
}

TEST(ApiRoutes, NamesAreUniqueAndCallsHaveFunctions) {
  std::set<std::string_view> names;
  for (const Route& route : api_routes()) {
    EXPECT_TRUE(names.insert(route.name).second) << route.name;
    EXPECT_EQ(route.function != nullptr, route.kind == RouteKind::call) << route.name;
  }
}

TEST(BodyFields, NamesTheFirstFieldThatIsWrong) {
  const auto body = nlohmann::json::parse(R"({"t":"x","n":5,"b":true,"neg":-1,"nul":null,"big":18446744073709551615})");
  BodyFields good(body);
  EXPECT_EQ(good.text("t"), "x");
  EXPECT_EQ(good.count("n"), 5u);
  EXPECT_EQ(good.optional_integer("neg"), -1);
  EXPECT_EQ(good.optional_integer("nul"), std::nullopt);
  EXPECT_TRUE(good.flag("b"));
  EXPECT_FALSE(good.flag("absent"));
  EXPECT_TRUE(good.finish().ok());

  const auto refused = [&](auto read) {
    BodyFields fields(body);
    read(fields);
    fields.text("absent-too");
    EXPECT_FALSE(fields.finish().ok());
    return fields.finish().error().detail;
  };
  EXPECT_EQ(refused([](BodyFields& f) { f.text("n"); }), "field \"n\": expected a text of at most 4096 bytes");
  EXPECT_EQ(refused([](BodyFields& f) { f.text("absent"); }), "field \"absent\": expected a text");
  EXPECT_EQ(refused([](BodyFields& f) { f.count("neg"); }), "field \"neg\": expected a whole number of 0 or more");
  EXPECT_EQ(refused([](BodyFields& f) { f.optional_integer("big"); }), "field \"big\": expected a whole number");
  EXPECT_EQ(refused([](BodyFields& f) { f.flag("t"); }), "field \"t\": expected true or false");
  EXPECT_EQ(refused([](BodyFields& f) { f.optional_texts("t"); }), "field \"t\": expected a list of at most 64 texts");

  const nlohmann::json list = nlohmann::json::array();
  EXPECT_EQ(BodyFields(list).finish().error().code, ErrorCode::http_bad_request);
}

TEST(IsoTime, IsUtcWithMilliseconds) {
  EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(1795303980123), "2026-11-21T23:33:00.123Z");
  EXPECT_EQ(iso_time(951782400007), "2000-02-29T00:00:00.007Z");
}

TEST(Metrics, NamesFollowOneForm) {
  std::set<std::string_view> names;
  for (const telemetry::MetricInfo& info : origin_metrics()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_TRUE(info.name.starts_with("reelway_origin_")) << info.name;
    EXPECT_EQ(info.name.ends_with("_total"), info.kind == telemetry::MetricKind::counter) << info.name;
    EXPECT_TRUE(info.help.ends_with('.')) << info.name;
  }
}

}  // namespace
}  // namespace reelway::origin
