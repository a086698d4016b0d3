#include <gtest/gtest.h>

#include "cli/explain_report.h"
#include "cli/options.h"
#include "cli/play_url.h"
#include "cli/title_report.h"
#include "common/access/token.h"

namespace reelway::cli {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string play_path(std::int64_t not_before_s, std::int64_t expires_s, const std::string& title) {
  access::Token token;
  token.kid = 3;
  token.not_before_s = not_before_s;
  token.expires_s = expires_s;
  token.title = title;
  return "/t/" + *access::sign_token(token, access::PrivateKey{1}) + "/sintel/v2/master.m3u8";
}

TEST(PlayUrl, SplitsUrls) {
  const auto url = split_url("http://127.0.0.1:8090/t/x/film/v1/a?q#f");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->base, "http://127.0.0.1:8090");
  EXPECT_EQ(url->path, "/t/x/film/v1/a");
  EXPECT_EQ(split_url("/t/x")->path, "/t/x");
  EXPECT_EQ(split_url("https://edge")->path, "/");
  EXPECT_EQ(split_url("film").error().code, ErrorCode::usage);
  EXPECT_EQ(split_url("").error().code, ErrorCode::usage);
}

TEST(PlayUrl, VerdictNamesTheReason) {
  EXPECT_EQ(text_at(local_verdict(play_path(100, 200, "sintel"), 150), "verdict"), "ok");
  const auto code = [](const std::string& path, std::int64_t now_s) {
    return text_at(object_at(local_verdict(path, now_s), "error"), "code");
  };
  EXPECT_EQ(code(play_path(100, 200, "sintel"), 200), "token_expired");
  EXPECT_EQ(code(play_path(100, 200, "sintel"), 99), "token_not_yet_valid");
  EXPECT_EQ(code(play_path(100, 200, "bunny"), 150), "token_other_title");
  EXPECT_EQ(code("/t/AAAA/sintel/v2/master.m3u8", 150), "token_malformed");
  EXPECT_EQ(code("/sintel/v2/master.m3u8", 150), "token_missing");
}

TEST(PlayUrl, VerdictKnowsTheView) {
  access::Token token;
  token.kid = 3;
  token.expires_s = 200;
  token.title = "sintel";
  token.view.max_height = 480;
  token.entitlement = access::EntitlementClaim{{}, 7};
  const std::string start = "/t/" + *access::sign_token(token, access::PrivateKey{1}) + "/sintel/v2/";
  const Json within = local_verdict(start + "video/480/3.m4s", 150);
  EXPECT_EQ(text_at(within, "verdict"), "ok");
  const std::string text = verdict_report(within, 150, {});
  for (const char* part : {"view        h480", "entitlement AAAAAAAAAAAAAAAAAAAAAA", "signature and rental aside"}) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  }
  const Json outside = local_verdict(start + "video/1080/3.m4s", 150);
  EXPECT_EQ(text_at(object_at(outside, "error"), "code"), "rendition_not_in_offer");
  EXPECT_TRUE(has(verdict_report(outside, 150, {}), "refused"));
}

TEST(ExplainReport, ShowsTheToken) {
  const std::string text =
      verdict_report(local_verdict(play_path(1800000000, 1800003600, "sintel"), 1800000600), 1800000600, {});
  for (const char* part : {"/sintel/v2/master.m3u8", "sintel v2", "2027-01-15 09:00:00 UTC (50 min left)", "ok"}) {
    EXPECT_TRUE(has(text, part)) << text;
  }
}

TEST(ExplainReport, ShowsStepsAndObject) {
  const Json answer = Json::parse(R"({"edge":"http://e","asked_by_url":true,"target":"/t/x",
    "steps":[{"step":"authorize","verdict":"ok","detail":"key 1"},{"step":"lookup","verdict":"hit"}],
    "cache_key":"/a/v1/b|all","tier":"disk","would":"hit",
    "object":{"status":200,"content_type":"video/mp4","length":1500,"age_s":3,"fresh_s":100,"etag":"\"x\""}})");
  const std::string text = edge_report(answer, {});
  for (const char* part : {"Edge http://e (the URL's edge)", "1. authorize  ok       key 1", "2. lookup     hit",
                           "cache key   /a/v1/b|all", "tier        disk",
                           "200 video/mp4, 1.5 kB, age 3 s, fresh for 100 s", "would       hit"}) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  }
}

TEST(ExplainReport, ShowsAnEdgeThatCannotBeAsked) {
  const Json answer{{"edge", "http://e"}, {"error", {{"code", "server_unreachable"}, {"detail", "refused"}}}};
  EXPECT_TRUE(has(edge_report(answer, {}), "server_unreachable: the server cannot be reached (refused)"));
}

TEST(Reports, AnyJsonIsShown) {
  for (
      const char* text :
      {"null", "[]", "{}", "7", R"({"titles":[1,null,{"title":7,"error":"x"}]})",
       R"({"versions":[{"renditions":[1,{}]}],"steps":[null,{"verdict":3}],"object":{"length":-1},"error":{"error":{}}})"}) {
    const Json json = Json::parse(text);
    EXPECT_FALSE(titles_report(json, {}).empty());
    EXPECT_FALSE(title_report(json, {}).empty());
    EXPECT_FALSE(version_report(json, {}).empty());
    EXPECT_FALSE(edge_report(json, {}).empty());
    EXPECT_FALSE(verdict_report(json, 0, {}).empty());
  }
}

TEST(TitleReport, ListsTitlesAndFailures) {
  const Json answer = Json::parse(R"({"titles":[
    {"title":"sintel","name":"Sintel","state":"published","version":"v1","duration_ms":16000,"created_at":"2026-01-01T00:00:00.000Z"},
    {"title":"bad","name":"bad","state":"failed","version":null,"duration_ms":0,"error":{"code":"media_no_video","detail":"bad.mp4"}}]})");
  const std::string text = titles_report(answer, {});
  for (const char* part : {"TITLE", "sintel  Sintel  published  v1       0:16.000",
                           "bad failed:", "media_no_video: the file has no video (bad.mp4)"}) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  }
  EXPECT_TRUE(has(titles_report(Json::object(), {}), "reelway ingest"));
}

TEST(TitleReport, ShowsRenditions) {
  const Json title = Json::parse(
      R"({"title":"s","name":"S","state":"published","versions":[{"version":"v1","state":"published","duration_ms":16000,
    "sha256":"ab","renditions":[{"id":"video/720","kind":"video","width":1280,"height":720,"codecs":"avc1.64001f","bandwidth":3000000,
    "average_bandwidth":2500000,"frames":480,"duration_ms":16000,"bytes":5000000}]}]})");
  const std::string text = title_report(title, {});
  for (const char* part : {"video/720", "1280x720", "avc1.64001f", "3.0 Mbit/s", "2.5 Mbit/s", "480", "5.0 MB"}) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  }
}

TEST(TitleReport, ShowsWhatAFilmsOwnBitRatesSave) {
  Json title = Json::parse(
      R"({"title":"s","versions":[{"version":"v1","state":"published","per_title":{"samples":6,"seconds":12,"cpu_s":2.5},
    "renditions":[{"id":"video/720","table_bandwidth":2500000,"target_bandwidth":1000000},{"id":"audio/en-aac"}]}]})");
  const std::string text = title_report(title, {});
  for (const char* part : {"6 samples (12 s of it, 2.5 s of CPU)", "TABLE", "CHOSEN", "1.0 Mbit/s", "60 %"}) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  }
  title["versions"][0].erase("per_title");
  EXPECT_FALSE(has(title_report(title, {}), "SAVING"));
}

TEST(TitleReport, ShowsHowLoudSoundIsAndWhyNot) {
  const Json title = Json::parse(
      R"({"title":"s","versions":[{"version":"v1","state":"published","renditions":[
    {"id":"audio/en-aac","kind":"audio","channels":2,"codecs":"mp4a.40.2",
     "loudness":{"end":"reached","measured_lufs":-35.04,"gain_db":11.04,"target_lufs":-24}},
    {"id":"audio/en-eac3","kind":"audio","channels":6,"codecs":"ec-3",
     "loudness":{"end":"peak","measured_lufs":-30,"gain_db":-1,"target_lufs":-24}},
    {"id":"audio/fr-aac","kind":"audio","channels":2,"codecs":"mp4a.40.2","loudness":{"end":"unmeasured","gain_db":0,"target_lufs":-24}},
    {"id":"audio/de-aac","kind":"audio","channels":2,"codecs":"mp4a.40.2"}]}]})");
  const std::string text = title_report(title, {});
  for (const char* part : {"stereo", "5.1", "-24.0 LUFS (+11.0 dB)", "-31.0 LUFS (-1.0 dB)",
                           "audio/en-eac3 is not at -24.0 LUFS: its peaks would pass the ceiling",
                           "audio/fr-aac is not at -24.0 LUFS: its source was not measured"}) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  }
  EXPECT_FALSE(has(text, "audio/en-aac is not"));
  EXPECT_FALSE(has(text, "audio/de-aac is not"));
}

TEST(Options, EdgeAddresses) {
  const auto edge = parse_edge_address("http://e:1/ http://e:2 /etc/my secret");
  ASSERT_TRUE(edge.ok());
  EXPECT_EQ(edge->public_url, "http://e:1");
  EXPECT_EQ(edge->admin_url, "http://e:2");
  EXPECT_EQ(edge->credential_file, "/etc/my secret");
  for (const char* text : {"", "http://e:1", "http://e:1 http://e:2", "e:1 http://e:2 /f", "http://e:1 e:2 /f"}) {
    EXPECT_EQ(parse_edge_address(text).error().code, ErrorCode::config_value_invalid) << text;
  }
}

}  // namespace
}  // namespace reelway::cli
