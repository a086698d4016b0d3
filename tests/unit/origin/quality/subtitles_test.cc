#include <gtest/gtest.h>

#include "origin/quality/subtitle_checks.h"
#include "origin/quality/subtitle_text.h"

namespace reelway::origin {
namespace {

TEST(SubtitleText, ReadsBothFormats) {
  const auto srt = parse_subtitles(
      "\xEF\xBB\xBF"
      "1\r\n00:00:01,000 --> 00:00:02,500 X1:0\r\n<i>One</i>\r\ntwo\r\n\r\n2\r\n00:01:00,040 --> 01:00:00,000\r\nend");
  ASSERT_TRUE(srt.ok()) << describe(srt.error());
  ASSERT_EQ(srt->cues.size(), 2);
  EXPECT_EQ(srt->cues[0].lines, (std::vector<std::string>{"<i>One</i>", "two"}));
  EXPECT_EQ(srt->cues[0].to_s, 2.5);
  EXPECT_EQ(srt->cues[1].to_s, 3600);
  const auto vtt = parse_subtitles(
      "WEBVTT - a title\n\nSTYLE\n::cue { color: red }\n\nNOTE 00:01.000 --> 00:02.000\nnothing\n\nid\n00:01.000 --> "
      "00:02.000 align:start\n<v Ann>Hi");
  ASSERT_TRUE(vtt.ok()) << describe(vtt.error());
  ASSERT_EQ(vtt->cues.size(), 1);
  EXPECT_EQ(vtt->cues[0].from_s, 1);
}

TEST(SubtitleText, RefusesWhatWouldLoseCues) {
  for (const std::string text :
       {"", "WEBVTT\n\n", "1\n00:00:01,000 --> soon\nx\n", "1\n00:00:01,000 --> 00:00:02,00\n\xff",
        "1\n00:00:01,000 --> 00:00:02,000\nx\n\n2\n00:99:01,000 --> 00:00:02,000\nx\n"}) {
    const auto parsed = parse_subtitles(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::media_unreadable);
  }
}

TEST(SubtitleText, TimesOfCues) {
  EXPECT_EQ(parse_cue_time("01:02:03.500"), 3723.5);
  EXPECT_EQ(parse_cue_time("02:03,500"), 123.5);
  for (const char* bad : {"", "1", "1.500", "1:2:3:4.500", "00:60.000", "00:61:00.000", "00:00:00.5", "a:00.000",
                          "-1:00.000", "00:00:00.5x0", ":.000"}) {
    EXPECT_LT(parse_cue_time(bad), 0) << bad;
  }
}

TEST(SubtitleText, LengthIsWhatIsSeen) {
  EXPECT_EQ(seen_length("<i>caf\xC3\xA9</i> &amp; {\\an8}x"), 8);
  EXPECT_EQ(seen_length("e\xCC\x81"), 1);  // a combined letter
  EXPECT_NEAR(seen_length("日本"), 2 * 42.0 / 16, 1e-9);
  EXPECT_EQ(seen_length("a < b"), 5);
  EXPECT_FALSE(is_utf8("\xC0\x80"));
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_utf8("\xE6\x97"));
  EXPECT_TRUE(is_utf8("日\xF0\x9F\x8E\xAC"));
}

TEST(SubtitleText, Markup) {
  const auto broken = [](std::vector<std::string> lines) { return has_broken_markup({0, 1, std::move(lines)}); };
  EXPECT_FALSE(broken({"<i>a", "b</i>"}));
  EXPECT_FALSE(broken({"<v Ann>Hi", "<c.loud>b</c> <00:01.000>x"}));
  EXPECT_FALSE(broken({"5 * 3", "a* footnote"}));
  EXPECT_TRUE(broken({"<i>a"}));
  EXPECT_TRUE(broken({"a</i>"}));
  EXPECT_TRUE(broken({"<i><b>a</i></b>"}));
  EXPECT_TRUE(broken({"*word*"}));
}

std::vector<Rule> rules_broken(std::string_view text, const SubtitleContext& context = {"subtitles", -1, 60, {}}) {
  QualityRules rules;
  FindingList list(rules);
  check_subtitles(text, context, list);
  QualityReport report;
  std::move(list).finish(report);
  std::vector<Rule> broken;
  for (const Finding& finding : report.findings) broken.push_back(finding.rule);
  return broken;
}

TEST(SubtitleChecks, EachRuleFindsItsFault) {
  using Rules = std::vector<Rule>;
  const std::string good = "1\n00:00:01,000 --> 00:00:03,000\nA good line\n\n";
  EXPECT_EQ(rules_broken(good), Rules{});
  EXPECT_EQ(rules_broken("junk"), Rules{Rule::subtitle_unreadable});
  EXPECT_EQ(rules_broken(good + "2\n00:00:02,500 --> 00:00:04,000\nToo early\n"), Rules{Rule::subtitle_overlap});
  EXPECT_EQ(rules_broken(good + "2\n00:00:03,040 --> 00:00:05,000\nToo near\n"), Rules{Rule::subtitle_gap});
  EXPECT_EQ(rules_broken(good + "2\n00:00:03,000 --> 00:00:05,000\nChained\n"), Rules{});
  EXPECT_EQ(rules_broken("1\n00:00:01,000 --> 00:00:01,500\nShort\n"), Rules{Rule::subtitle_duration});
  EXPECT_EQ(rules_broken("1\n00:00:01,000 --> 00:00:09,000\nLong\n"), Rules{Rule::subtitle_duration});
  EXPECT_EQ(rules_broken("1\n00:00:01,000 --> 00:00:02,000\nThirty characters in a second\n"),
            Rules{Rule::subtitle_speed});
  EXPECT_EQ(rules_broken("1\n00:00:01,000 --> 00:00:06,000\nForty-three characters do not fit on one line.\n"),
            Rules{Rule::subtitle_line_length});
  EXPECT_EQ(rules_broken("1\n00:00:01,000 --> 00:00:06,000\na\nb\nc\n"), Rules{Rule::subtitle_lines});
  EXPECT_EQ(rules_broken("1\n00:00:01,000 --> 00:00:03,000\n<i>Open\n"), Rules{Rule::subtitle_markup});
  EXPECT_EQ(rules_broken("1\n00:00:58,000 --> 00:01:00,500\nAfter\n"), Rules{Rule::subtitle_end});
  EXPECT_EQ(rules_broken(good, {"subtitles", 2, 60, {0.5, 1.3}}), Rules{Rule::subtitle_cut});
  EXPECT_EQ(rules_broken(good, {"subtitles", 2, 60, {1.0, 2.0, 2.98}}), Rules{});
}

}  // namespace
}  // namespace reelway::origin
