#include "origin/quality/rules.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

TEST(QualityRules, DefaultsComeFromTheTable) {
  const auto settings = config::parse(quality_options(), "{}", "test.yaml");
  ASSERT_TRUE(settings.ok()) << describe(settings.error());
  const auto rules = quality_rules(*settings);
  ASSERT_TRUE(rules.ok()) << describe(rules.error());
  const QualityRules made;
  for (const RuleInfo& info : rule_table()) {
    EXPECT_EQ((*rules)[info.rule].severity, made[info.rule].severity) << info.name;
    EXPECT_EQ((*rules)[info.rule].limit, made[info.rule].limit) << info.name;
    EXPECT_EQ((*rules)[info.rule].seconds, made[info.rule].seconds) << info.name;
    EXPECT_EQ(rule_of(info.name), info.rule);
    EXPECT_FALSE(info.remedy.empty()) << info.name;
    EXPECT_NE(info.severity, Severity::off) << info.name;
  }
}

TEST(QualityRules, AnOperatorSetsThem) {
  const auto settings = config::parse(quality_options(),
                                      "quality:\n  black:\n    severity: block\n    seconds: 0.5\n  loudness:\n"
                                      "    limit: -22.5\n    low: -24\n",
                                      "test.yaml");
  ASSERT_TRUE(settings.ok()) << describe(settings.error());
  const auto rules = quality_rules(*settings);
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ((*rules)[Rule::black].severity, Severity::block);
  EXPECT_EQ((*rules)[Rule::black].seconds, 0.5);
  EXPECT_EQ((*rules)[Rule::loudness].limit, -22.5);
}

TEST(QualityRules, RefusesWhatIsNoValue) {
  for (const char* yaml :
       {"quality: {black: {severity: loud}}", "quality: {black: {seconds: two}}", "quality: {black: {seconds: -1}}",
        "quality: {black: {seconds: nan}}", "quality: {black: {limit: 1000}}"}) {
    const auto settings = config::parse(quality_options(), yaml, "test.yaml");
    ASSERT_TRUE(settings.ok()) << yaml;
    const auto rules = quality_rules(*settings);
    ASSERT_FALSE(rules.ok()) << yaml;
    EXPECT_EQ(rules.error().code, ErrorCode::config_value_invalid);
    EXPECT_NE(rules.error().detail.find("quality.black."), std::string::npos);
  }
  EXPECT_FALSE(config::parse(quality_options(), "quality: {language: {seconds: 1}}", "test.yaml").ok());
}

}  // namespace
}  // namespace reelway::origin
