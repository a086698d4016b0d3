#include "origin/quality/report.h"

#include <gtest/gtest.h>

#include <cmath>

#include "origin/quality/finding_list.h"

namespace reelway::origin {
namespace {

QualityReport sample() {
  QualityRules rules;
  FindingList list(rules);
  list.add(Rule::silence, 1, {30, 40}, {10, 2}, "silent");
  list.add(Rule::black, 0, {100, 103}, {3, 2}, "black again");
  list.add(Rule::black, 0, {4, 90}, {86, 2}, "black");
  list.add(Rule::crop, 0, {0, 200}, {12, 1, 0}, "bars");
  QualityReport report;
  report.title = "sintel";
  report.version = "v2";
  report.duration_s = 200;
  report.checked_at_ms = 1'700'000'000'000;
  report.loudness.push_back({1, -23.5, 12, -1.5});
  report.crop = CropFrame{1920, 800, 0, 140};
  report.interlaced = true;
  std::move(list).finish(report);
  return report;
}

TEST(QualityReport, FindingsAreOrderedAndNumbered) {
  const QualityReport report = sample();
  ASSERT_EQ(report.findings.size(), 4);
  EXPECT_EQ(report.findings[0].id, "black-1");
  EXPECT_EQ(report.findings[0].severity, Severity::block);  // 86 s of black
  EXPECT_EQ(report.findings[1].id, "black-2");
  EXPECT_EQ(report.findings[1].severity, Severity::warn);
  EXPECT_EQ(report.findings[2].id, "silence-1");
  EXPECT_EQ(report.findings[3].severity, Severity::info);
}

TEST(QualityReport, WhatBlocksHoldsUntilItIsWaived) {
  QualityReport report = sample();
  EXPECT_TRUE(verdict(report).holds);
  EXPECT_EQ(verdict(report).blocking, 1);
  EXPECT_EQ(verdict(report).warnings, 2);
  EXPECT_EQ(verdict(report).infos, 1);
  report.findings[0].waiver = Waiver{"ann", "meant", 1};
  EXPECT_FALSE(verdict(report).holds);
  EXPECT_EQ(verdict(report).waived, 1);
}

TEST(QualityReport, SurvivesItsJson) {
  QualityReport report = sample();
  report.loudness.push_back({2, -21, 8, -3, SoundMeasure{-18, 1.5}, SoundMeasure{-19, -1}});
  report.findings[0].waiver = Waiver{"ann", "an \"end\"\n", 5};
  report.findings[0].picture = "black-1.jpg";
  const std::string json = to_json(report);
  const auto parsed = parse_quality_report(quality_key("sintel", "v2"), json);
  ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
  EXPECT_EQ(parsed->title, "sintel");
  EXPECT_EQ(parsed->version, "v2");
  EXPECT_EQ(to_json(*parsed), json);
  EXPECT_EQ(parsed->findings[0].waiver, report.findings[0].waiver);
  EXPECT_EQ(parsed->crop, report.crop);
}

TEST(QualityReport, AnotherShapeIsCorrupt) {
  const std::string good = to_json(sample());
  for (const std::string& text : {std::string(), std::string("[]"), std::string("{}"), std::string("{\"format\":2}"),
                                  std::string(good).replace(good.find("\"rule\":\"black\""), 14, "\"rule\":\"blank\""),
                                  std::string(good).replace(good.find("\"dropped\":0"), 11, "\"dropped\":\"\"")}) {
    const auto parsed = parse_quality_report(quality_key("a", "v1"), text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::stored_data_corrupt);
  }
  EXPECT_FALSE(parse_quality_report("/v1/quality/a", good).ok());
}

TEST(QualityReport, WaiversStayWithWhatIsTheSame) {
  QualityReport former = sample(), again = sample();
  former.findings[0].waiver = Waiver{"ann", "meant", 1};
  former.findings[2].waiver = Waiver{"bob", "meant", 2};
  again.findings[0].from_s += 0.4;
  again.findings[2].to_s += 5;  // the silence is longer now: nobody has waived that
  keep_waivers(again, former);
  EXPECT_EQ(again.findings[0].waiver, former.findings[0].waiver);
  EXPECT_FALSE(again.findings[1].waiver);
  EXPECT_FALSE(again.findings[2].waiver);
}

TEST(QualityReport, IsLimited) {
  QualityRules rules;
  FindingList list(rules);
  for (int stream = 0; stream < 50; ++stream) {
    for (int i = 0; i < 60; ++i) list.add(Rule::black, stream, {double(i), NAN}, {INFINITY, 2}, std::string(5000, 'x'));
  }
  QualityReport report;
  std::move(list).finish(report);
  EXPECT_EQ(report.findings.size(), kFindingsMax);
  EXPECT_EQ(report.dropped, 50 * 60 - kFindingsMax);
  const std::string json = to_json(report);
  EXPECT_LT(json.size(), 1024 * 1024);  // of a transaction
  EXPECT_TRUE(parse_quality_report(quality_key("a", "v1"), json).ok());
}

TEST(QualityReport, RulesThatAreOffAddNothing) {
  QualityRules rules;
  rules[Rule::black].severity = Severity::off;
  FindingList list(rules);
  list.add(Rule::black, 0, {0, 900}, {900, 2}, "black");
  QualityReport report;
  std::move(list).finish(report);
  EXPECT_TRUE(report.findings.empty());
}

TEST(QualityReport, TimeCodes) {
  EXPECT_EQ(time_code(0), "0:00:00.0");
  EXPECT_EQ(time_code(3723.44), "1:02:03.4");
  EXPECT_EQ(time_code(59.97), "0:01:00.0");
  EXPECT_EQ(time_code(-1), "0:00:00.0");
  EXPECT_EQ(time_code(NAN), "0:00:00.0");
}

}  // namespace
}  // namespace reelway::origin
