#include "origin/hls/text_segments.h"

#include <gtest/gtest.h>

#include "origin/hls/imsc_segments.h"
#include "origin/hls/multivariant_playlist.h"
#include "origin/text/read_text.h"
#include "tests/support/film.h"

// The golden film: 14 s in segments of about 6 s, 23.976 pictures a second.

namespace reelway::origin::hls {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(REELWAY_SOURCE_DIR) / "tests/golden/hls";

Track track_of(const std::string& id, const std::string& file) {
  auto index = mp4::parse_index(test::read_file(kFolder / file));
  EXPECT_TRUE(index.ok()) << describe(index.error());
  return {id, "", false, std::make_shared<mp4::TrackIndex>(*index)};
}

TextTrack text_of(const std::string& id, const std::string& name, std::string_view file) {
  Result<text::TextSheet> sheet = text::read_text(file);
  EXPECT_TRUE(sheet.ok()) << describe(sheet.error());
  return {id, name, "en", false, false, std::make_shared<const text::TextSheet>(std::move(sheet).value())};
}

Presentation film() {
  Presentation made;
  // Sound first: it is the picture that subtitles are cut by.
  made.tracks = {track_of("audio/en-aac", "audio-en-aac.idx"), track_of("video/180", "video-180.idx")};
  made.texts = {text_of("subtitles/en", "English",
                        "WEBVTT\n\n00:01.000 --> 00:02.000\none\n\n00:05.500 --> 00:06.500 line:0\nover\n\n"
                        "00:07.000 --> 00:08.000\ntwo\n\n00:59.000 --> 01:00.000\nafter the end\n")};
  return made;
}

std::vector<std::string> lines_with(const std::string& text, const std::string& start) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(start)) found.push_back(line);
  }
  return found;
}

TEST(TextSegments, PlaylistSpansTheFilmAsThePictureDoes) {
  const Presentation made = film();
  const std::string playlist = text_playlist(made), picture = media_playlist(made, made.tracks[1]);
  EXPECT_EQ(lines_with(playlist, "#EXTINF"), lines_with(picture, "#EXTINF"));
  EXPECT_EQ(lines_with(playlist, "#EXT-X-TARGETDURATION"), lines_with(picture, "#EXT-X-TARGETDURATION"));
  EXPECT_TRUE(playlist.find("\n0.vtt\n") != std::string::npos && playlist.find("\n2.vtt\n") != std::string::npos);
  EXPECT_TRUE(playlist.ends_with("#EXT-X-ENDLIST\n"));
  EXPECT_EQ(playlist.find("EXT-X-MAP"), std::string::npos);
}

TEST(TextSegments, CuesOverABoundaryAreInBothWithTheirTimes) {
  const Presentation made = film();
  const std::string over = "\n00:00:05.500 --> 00:00:06.500 line:0\nover\n";
  const std::string first = text_segment(made, made.texts[0], Packaging::cmaf, 0).value();
  const std::string second = text_segment(made, made.texts[0], Packaging::cmaf, 1).value();
  const std::string third = text_segment(made, made.texts[0], Packaging::cmaf, 2).value();
  EXPECT_EQ(first, "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n00:00:01.000 --> 00:00:02.000\none\n" +
                       over + "\n");
  EXPECT_EQ(second, "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n" + over +
                        "\n00:00:07.000 --> 00:00:08.000\ntwo\n\n");
  EXPECT_EQ(third, "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n");
  const auto none = text_segment(made, made.texts[0], Packaging::cmaf, 3);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::http_not_found);
}

TEST(TextSegments, TransportStreamsHaveAClockOfTheirOwn) {
  const Presentation made = film();
  for (const Packaging packaging : {Packaging::ts, Packaging::ts_aes, Packaging::ts_sample_aes}) {
    EXPECT_NE(text_segment(made, made.texts[0], packaging, 0)->find("MPEGTS:900000,"), std::string::npos);
  }
  for (const Packaging packaging : {Packaging::aes, Packaging::cbcs, Packaging::cenc}) {
    EXPECT_NE(text_segment(made, made.texts[0], packaging, 0)->find("MPEGTS:0,"), std::string::npos);
  }
}

TEST(TextSegments, MultivariantPlaylistSaysWhatEachIs) {
  Presentation made = film();
  made.texts.push_back(made.texts[0]);
  made.texts.back().id = "subtitles/en-2";
  made.texts.back().name = "English (SDH)";
  made.texts.back().for_deaf = true;
  made.texts.push_back(made.texts[0]);
  made.texts.back().id = "subtitles/en-3";
  made.texts.back().forced = true;
  const auto master_of = [](const Presentation& presentation) {
    return multivariant_playlist({.presentation = presentation,
                                  .subtitles = text_renditions(presentation),
                                  .subtitle_rates = text_rates(presentation)});
  };
  const std::string master = master_of(made);
  const auto media = lines_with(master, "#EXT-X-MEDIA:TYPE=SUBTITLES");
  ASSERT_EQ(media.size(), 3);
  const auto has = [&](std::size_t line, const char* what) { return media[line].find(what) != std::string::npos; };
  EXPECT_TRUE(has(0, "NAME=\"English\"") && has(0, "FORCED=NO") && has(0, "AUTOSELECT=YES"));
  EXPECT_TRUE(has(0, "LANGUAGE=\"en\"") && has(0, "URI=\"subtitles/en/media.m3u8\""));
  EXPECT_FALSE(has(0, "CHARACTERISTICS"));
  EXPECT_TRUE(has(1,
                  "CHARACTERISTICS=\"public.accessibility.transcribes-spoken-dialog,"
                  "public.accessibility.describes-music-and-sound\""));
  EXPECT_TRUE(has(2, "FORCED=YES") && has(2, "AUTOSELECT=YES") && has(2, "NAME=\"English (2)\""));
  const auto variants = lines_with(master, "#EXT-X-STREAM-INF");
  ASSERT_FALSE(variants.empty());
  for (const std::string& variant : variants) EXPECT_NE(variant.find(",SUBTITLES=\"subtitles\""), std::string::npos);
  made.texts.clear();
  EXPECT_EQ(master_of(made).find("SUBTITLES"), std::string::npos);
}

Presentation film_with_ttml() {
  Presentation made = film();
  Result<text::TtmlSheets> sheets = text::read_ttml_sheets(
      "<tt xmlns=\"http://www.w3.org/ns/ttml\" xml:lang=\"en\"><body><div><p begin=\"1s\" "
      "end=\"7s\">over</p></div></body></tt>");
  EXPECT_TRUE(sheets.ok());
  made.texts.push_back(made.texts[0]);
  made.texts.back().id = "subtitles/de";
  made.texts.back().ttml = std::make_shared<const text::TextSheet>(std::move(sheets->ttml));
  return made;
}

TEST(TextSegments, ImscIsReadAsOneDocumentASegment) {
  const Presentation made = film_with_ttml();
  const TextTrack& track = made.texts[1];
  const test::TempDir folder;
  Bytes file = imsc_init(made, track);
  for (std::uint32_t n = 0; n < 3; ++n) {
    const std::string segment = imsc_segment(made, track, n).value();
    EXPECT_EQ(segment.find("over") != std::string::npos, n < 2) << n;
    file.insert(file.end(), segment.begin(), segment.end());
  }
  EXPECT_FALSE(imsc_segment(made, track, 3).ok());
  test::write_file(folder / "track.mp4", file);
  const std::string seen = test::output_of(
      "/usr/bin/ffprobe -v error -show_entries "
      "packet=pts_time:stream=codec_tag_string -of csv=p=0 '" +
      (folder / "track.mp4").string() + "' 2>&1");
  const auto durations = lines_with(text_playlist(made), "#EXTINF:");
  ASSERT_EQ(durations.size(), 3);
  const auto length = [&](std::size_t n) { return durations[n].substr(8, durations[n].size() - 9); };
  EXPECT_NE(seen.find("0.000000\n" + length(0) + "\n"), std::string::npos) << seen;
  EXPECT_NE(seen.find("stpp"), std::string::npos) << seen;
}

TEST(TextSegments, ImscHasVariantsOfItsOwn) {
  const Presentation made = film_with_ttml();
  const auto master_of = [&](Packaging packaging) {
    return multivariant_playlist({.presentation = made,
                                  .packaging = packaging,
                                  .subtitles = text_renditions(made),
                                  .imsc = imsc_renditions(made, packaging)});
  };
  const std::string master = master_of(Packaging::cmaf);
  const auto group = lines_with(master, "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subtitles-imsc\"");
  ASSERT_EQ(group.size(), 2);  // what is no TTML stands there as WebVTT: all groups offer the same
  EXPECT_NE(group[0].find("URI=\"subtitles/en/media.m3u8\""), std::string::npos);
  EXPECT_NE(group[1].find("URI=\"subtitles/de/imsc.m3u8\""), std::string::npos);
  const auto variants = lines_with(master, "#EXT-X-STREAM-INF");
  ASSERT_EQ(variants.size(), 2);
  EXPECT_EQ(variants[0].find("stpp"), std::string::npos);
  EXPECT_NE(variants[1].find(",stpp.ttml.im1t\""), std::string::npos);
  EXPECT_NE(variants[1].find("SUBTITLES=\"subtitles-imsc\""), std::string::npos);
  EXPECT_EQ(master_of(Packaging::ts).find("imsc"), std::string::npos);
  EXPECT_TRUE(imsc_renditions(film(), Packaging::cmaf).empty());
}

TEST(TextSegments, RatesAreThoseOfTheSegments) {
  const Presentation made = film();
  std::uint64_t sum = 0, peak = 0;
  const std::string picture = media_playlist(made, made.tracks[1]);
  const auto durations = lines_with(picture, "#EXTINF:");
  double whole = 0;
  for (std::uint32_t n = 0; n < durations.size(); ++n) {
    const std::uint64_t bytes = text_segment(made, made.texts[0], Packaging::cmaf, n)->size();
    const double length = std::stod(durations[n].substr(8));
    sum += bytes;
    whole += length;
    peak = std::max(peak, static_cast<std::uint64_t>(static_cast<double>(bytes) * 8 / length));
  }
  const BitRates rates = text_rates(made);
  EXPECT_NEAR(static_cast<double>(rates.peak), static_cast<double>(peak), 8);
  EXPECT_NEAR(static_cast<double>(rates.average), static_cast<double>(sum) * 8 / whole, 8);
}

}  // namespace
}  // namespace reelway::origin::hls
