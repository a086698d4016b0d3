#include "origin/text/read_text.h"

#include <gtest/gtest.h>

#include "origin/text/ttml_document.h"
#include "origin/text/write_webvtt.h"

namespace reelway::origin::text {
namespace {

TextSheet read(std::string_view file) {
  Result<TextSheet> sheet = read_text(file);
  EXPECT_TRUE(sheet.ok()) << describe(sheet.error());
  return sheet.ok() ? std::move(sheet).value() : TextSheet();
}

std::string complaint(std::string_view file) {
  const Result<TextSheet> sheet = read_text(file);
  EXPECT_FALSE(sheet.ok()) << file;
  if (sheet.ok()) return {};
  EXPECT_EQ(sheet.error().code, ErrorCode::subtitle_malformed);
  return sheet.error().detail;
}

TEST(ReadText, WebvttKeepsSettingsStylesAndRegions) {
  const TextSheet sheet = read(
      "\xEF\xBB\xBFWEBVTT - The film\r\nKind: captions\r\n\r\nNOTE a comment\r\nof two lines\r\n\r\n"
      "STYLE\r\n::cue(.loud) { color: red }\r\n\r\nREGION\r\nid:top\r\nlines:2\r\n\r\n"
      "first\r\n00:01.000 --> 00:02.500 line:0 align:start colour:red line:5 region:top\r\n<v Ann>Tom &amp; "
      "I\r\n<i>go</i>\r\n\r\n"
      "STYLE\r\n::cue { color: blue }\r\n\r\n01:00:00.040 --> 01:00:01.000\r\nend");
  EXPECT_EQ(sheet.head(), "STYLE\n::cue(.loud) { color: red }\n\nREGION\nid:top\nlines:2\n");
  ASSERT_EQ(sheet.size(), 2);
  const Cue cue = sheet.cue(0);
  EXPECT_EQ(cue.id, "first");
  EXPECT_EQ(cue.from_ms, 1000);
  EXPECT_EQ(cue.to_ms, 2500);
  EXPECT_EQ(cue.settings, "line:0 align:start region:top");
  EXPECT_EQ(cue.payload, "<v Ann>Tom &amp; I\n<i>go</i>");
  EXPECT_EQ(sheet.cue(1).from_ms, 3'600'040);
  EXPECT_EQ(sheet.cue(1).payload, "end");
}

// A comment with an arrow once was read for ever.
TEST(ReadText, ArrowsWhereNoneMayBe) {
  const TextSheet sheet = read(
      "WEBVTT -->\n\nNOTE 00:01.000 --> 00:02.000\nnothing\n\nSTYLE a --> b\n::cue {}\n\n00:01.000 --> 00:02.000\nx\n");
  EXPECT_EQ(sheet.size(), 1);
  EXPECT_EQ(sheet.head(), "");
  EXPECT_EQ(complaint("WEBVTT\n\nNOTE -->"), "there is no subtitle in the file");
}

TEST(ReadText, SrtBecomesWebvtt) {
  const TextSheet sheet = read(
      "1\r\n00:00:01,000 --> 00:00:02,500 X1:0 X2:9\r\n<I>Tom & <b>Ann</b></i> &amp; 1 < 2\r\n{\\an8}up\r\n\r\n"
      "2\n00:01:00,040 --> 00:01:02,000\n<font color=\"#FFFF00\">yellow <font face=x>plain</font></font> <zap>\n"
      "3\n00:01:03,000 --> 00:01:04,000\nA<br>B --&gt; C\n\n4\n00:01:05,000 --> 00:01:05,000\nnever seen\n");
  ASSERT_EQ(sheet.size(), 3);
  EXPECT_EQ(sheet.head(), "");
  EXPECT_EQ(sheet.cue(0).payload, "<i>Tom &amp; <b>Ann</b></i> &amp; 1 &lt; 2\nup");
  EXPECT_EQ(sheet.cue(0).settings, "line:0");
  EXPECT_EQ(sheet.cue(1).payload, "<c.yellow>yellow plain</c> &lt;zap&gt;");
  EXPECT_EQ(sheet.cue(2).payload, "A\nB --&gt; C");
}

TEST(ReadText, PlacesOfSrt) {
  const auto settings = [](std::string_view code) {
    return std::string(read("1\n00:00:01,000 --> 00:00:02,000\n" + std::string(code) + "x\n").cue(0).settings);
  };
  EXPECT_EQ(settings("{\\an2}"), "");
  EXPECT_EQ(settings("{\\i1}"), "");
  EXPECT_EQ(settings("{\\an5}"), "line:50%,center");
  EXPECT_EQ(settings("{\\an7}"), "line:0 position:0%,line-left align:left");
  EXPECT_EQ(settings("{\\an9}"), "line:0 position:100%,line-right align:right");
}

TEST(ReadText, SubtitlesComeInOrder) {
  const TextSheet sheet = read(
      "WEBVTT\n\n00:05.000 --> 00:06.000\nlast\n\n00:01.000 --> 00:09.000\nlong\n\n00:01.000 --> 00:02.000\nshort");
  ASSERT_EQ(sheet.size(), 3);
  EXPECT_EQ(sheet.cue(0).payload, "short");
  EXPECT_EQ(sheet.cue(1).payload, "long");
  EXPECT_EQ(sheet.cue(2).payload, "last");
}

TEST(ReadText, RefusesWhatWouldLoseSubtitles) {
  EXPECT_EQ(complaint(""), "there is no subtitle in the file");
  EXPECT_EQ(complaint("WEBVTT\n\nNOTE only\n"), "there is no subtitle in the file");
  EXPECT_EQ(complaint("WEBVTTX\n\n00:01.000 --> 00:02.000\nx"), "line 1 is not WEBVTT");
  EXPECT_EQ(complaint("WEBVTT\n\n00:01.000 --> soon\nx"), "line 3 has no times of a subtitle");
  EXPECT_EQ(complaint("1\n00:00:01,000 --> 00:61:02,000\nx"), "line 2 has no times of a subtitle");
  EXPECT_EQ(complaint("1\n00:00:01,000 --> 00:00:02,000\n\xff"), "the subtitles are not in UTF-8");
  EXPECT_EQ(complaint(std::string("1\n00:00:01,000 --> 00:00:02,000\na\0b", 34)),
            "there are zero bytes in the subtitles");
  EXPECT_EQ(complaint(std::string(kTextBytesMax + 1, 'x')), "the subtitles have more than 8 MiB");
  EXPECT_EQ(complaint("1\n00:00:01,000 --> 00:00:02,000\n" + std::string(kPayloadBytesMax + 1, 'x')),
            "a subtitle has more than 16 KiB of text");
}

constexpr std::string_view kTtml = R"(<?xml version="1.0" encoding="UTF-8"?>
<tt:tt xmlns:tt="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling"
    xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001" xml:lang="en">
  <tt:head>
    <tt:styling><tt:style xml:id="s1" tts:fontStyle="italic"/><tt:style xml:id="s2" style="s1" tts:color="#FFFF00ff"/></tt:styling>
    <tt:layout>
      <tt:region xml:id="top" tts:origin="10% 10%" tts:extent="80% 15%" tts:displayAlign="before"/>
      <tt:region xml:id="low"><tt:style tts:origin="10% 80%"/><tt:style tts:extent="80% 15%" tts:displayAlign="after"/></tt:region>
    </tt:layout>
  </tt:head>
  <tt:body><tt:div begin="1s" region="low">
    <tt:p begin="00:00:01.500" end="00:00:03.000">Tom &amp; <tt:span style="s2">Ann</tt:span>
      go <tt:br/>  home</tt:p>
    <tt:p begin="00:01:00:12" dur="24f" region="top" tts:textAlign="left">up</tt:p>
    <tt:p begin="100s" end="110s"><tt:span begin="1s" end="2s">a</tt:span><tt:span begin="2s" dur="1s">b</tt:span></tt:p>
    <tt:p begin="200s" end="201s"> <tt:br/> </tt:p>
  </tt:div></tt:body>
</tt:tt>)";

TEST(ReadText, TtmlBecomesWebvtt) {
  const TextSheet sheet = read(kTtml);
  ASSERT_EQ(sheet.size(), 4);
  EXPECT_EQ(sheet.cue(0).from_ms, 2500);
  EXPECT_EQ(sheet.cue(0).to_ms, 4000);
  EXPECT_EQ(sheet.cue(0).settings, "");
  EXPECT_EQ(sheet.cue(0).payload, "Tom &amp; <c.yellow><i>Ann</i></c> go\nhome");
  EXPECT_EQ(sheet.cue(1).from_ms, 61'501);  // 12 frames of 1001/24000 s
  EXPECT_EQ(sheet.cue(1).to_ms, 62'502);
  EXPECT_EQ(sheet.cue(1).settings, "line:0 position:10%,line-left align:left");
  EXPECT_EQ(sheet.cue(2).from_ms, 102'000);
  EXPECT_EQ(sheet.cue(2).payload, "a");
  EXPECT_EQ(sheet.cue(3).to_ms, 104'000);
}

TEST(ReadText, TtmlIsWrittenAgainForAnyPartOfTheFilm) {
  const Result<TtmlSheets> sheets = read_ttml_sheets(kTtml);
  ASSERT_TRUE(sheets.ok()) << describe(sheets.error());
  const std::string part = write_ttml(sheets->ttml, 60'000'000, 103'000'000);
  EXPECT_TRUE(part.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<tt:tt xmlns:tt=")) << part;
  EXPECT_NE(part.find("xml:id=\"top\""), std::string::npos);
  EXPECT_NE(
      part.find("<tt:div><tt:div region=\"low\"><tt:p begin=\"00:01:01.501\" end=\"00:01:02.502\" region=\"top\""),
      std::string::npos)
      << part;
  EXPECT_EQ(part.find("Ann"), std::string::npos);
  // What was timed within a paragraph still is.
  const TextSheet again = read(part);
  ASSERT_EQ(again.size(), 3);
  EXPECT_EQ(again.cue(0).payload, "up");
  EXPECT_EQ(again.cue(0).settings, "line:0 position:10%,line-left align:left");
  EXPECT_EQ(again.cue(1).from_ms, 102'000);
  EXPECT_EQ(again.cue(2).payload, "b");
  const std::string empty = write_ttml(sheets->ttml, 300'000'000, 306'000'000);
  EXPECT_TRUE(empty.ends_with("<tt:body></tt:body></tt:tt>")) << empty;
  const Result<TextSheet> stored = TextSheet::parse(sheets->ttml.serialize());
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(write_ttml(*stored, 0, UINT64_MAX), write_ttml(sheets->ttml, 0, UINT64_MAX));
}

TEST(ReadText, RefusesTtmlThatCannotBeShown) {
  const auto document = [](const std::string& body) { return "<tt><body><div>" + body + "</div></body></tt>"; };
  EXPECT_EQ(complaint("<tt><body>"), "line 1 is no well-formed XML: Start-end tags mismatch");
  EXPECT_EQ(complaint("<html/>"), "it is XML, but no TTML");
  EXPECT_EQ(complaint(document("")), "there is no subtitle in the file");
  EXPECT_EQ(complaint(document("<p begin='1s'>x</p>")), "line 1: this subtitle never ends");
  EXPECT_EQ(complaint(document("\n<p begin='soon' end='2s'>x</p>")), "line 2: begin=\"soon\" is no time");
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "<div>";
  deep += "<p begin='1s' end='2s'>x</p>";
  for (int i = 0; i < 40; ++i) deep += "</div>";
  EXPECT_EQ(complaint(document(deep)), "line 1: elements lie too deep within each other");
}

TEST(WriteWebvtt, CuesOverABoundaryStandInBothParts) {
  const TextSheet sheet = read(
      "WEBVTT\n\nSTYLE\n::cue { color: white }\n\n00:01.000 --> 00:02.000\none\n\n00:05.000 --> 00:07.000 "
      "line:0\nover\n\n"
      "00:06.000 --> 00:08.000\ntwo\n");
  EXPECT_EQ(write_webvtt(sheet, {0, 6'000'000, 0}),
            "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\nSTYLE\n::cue { color: white }\n\n"
            "00:00:01.000 --> 00:00:02.000\none\n\n00:00:05.000 --> 00:00:07.000 line:0\nover\n\n");
  EXPECT_EQ(write_webvtt(sheet, {6'000'000, 12'000'000, 900'000}),
            "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\nSTYLE\n::cue { color: white }\n\n"
            "00:00:05.000 --> 00:00:07.000 line:0\nover\n\n00:00:06.000 --> 00:00:08.000\ntwo\n\n");
  EXPECT_EQ(write_webvtt(sheet, {12'000'000, 18'000'000, 0}),
            "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\nSTYLE\n::cue { color: white }\n\n");
}

TEST(WriteWebvtt, ReadsBackAsItWas) {
  const TextSheet sheet = read("WEBVTT\n\nid\n1:02:03.004 --> 01:02:05.006 size:50%\n<b>x</b>\ny\n");
  EXPECT_EQ(read(write_webvtt(sheet)).serialize(), sheet.serialize());
}

TEST(TextSheet, StoredFormIsReadBackAndDamageIsFound) {
  const TextSheet sheet =
      read("WEBVTT\n\nREGION\nid:a\n\nx\n00:01.000 --> 00:02.000 line:0\none\n\n00:03.000 --> 00:04.000\ntwo");
  const Bytes stored = sheet.serialize();
  const Result<TextSheet> again = TextSheet::parse(stored);
  ASSERT_TRUE(again.ok()) << describe(again.error());
  EXPECT_EQ(again->serialize(), stored);
  EXPECT_EQ(again->cue(0).id, "x");
  for (std::size_t i = 0; i < stored.size(); ++i) {
    Bytes damaged = stored;
    damaged[i] ^= 0x10;
    const Result<TextSheet> refused = TextSheet::parse(damaged);
    ASSERT_FALSE(refused.ok()) << i;
    EXPECT_EQ(refused.error().code, ErrorCode::stored_data_corrupt);
    EXPECT_FALSE(TextSheet::parse(ByteView(stored).first(i)).ok());
  }
}

}  // namespace
}  // namespace reelway::origin::text
