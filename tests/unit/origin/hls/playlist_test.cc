#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "origin/hls/bit_rates.h"
#include "origin/hls/multivariant_playlist.h"
#include "origin/hls/presentation.h"
#include "origin/hls/segment.h"
#include "tests/support/moov.h"

namespace reelway::origin::hls {
namespace {

using test::MoovShape;
using ::testing::HasSubstr;
using ::testing::Not;

std::shared_ptr<mp4::TrackIndex> index_of(const MoovShape& shape) {
  auto index = mp4::index_from_moov(test::make_moov(shape), shape.file_bytes(), nullptr);
  EXPECT_TRUE(index.ok()) << describe(index.error());
  return std::make_shared<mp4::TrackIndex>(*index);
}

// 40 s of video whose frames all have this many bytes.
Track video_of(const std::string& id, std::uint32_t bytes) {
  MoovShape shape = MoovShape::video_of(960, 48);
  for (std::uint32_t& size : shape.sizes) size = bytes;
  return {id, "", false, index_of(shape)};
}

Track audio_of(const std::string& id, const std::string& name, bool is_default) {
  return {id, name, is_default, index_of(MoovShape::audio_of(1875))};  // 40 s
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(BitRates, PeakIsOverRunsNearTheTarget) {
  // 20 units of 2 s; the frames of the tenth are ten times as large.
  MoovShape shape = MoovShape::video_of(960, 48);
  for (std::size_t i = 0; i < 960; ++i) shape.sizes[i] = i / 48 == 10 ? 10'000 : 1'000;
  const auto index = index_of(shape);
  const auto bits = [&](std::uint32_t first, std::uint32_t count) { return segment_bytes(*index, {first, count}) * 8; };
  // Segments of 6 s: alone each is a run; two would last 12 s, over one and a half targets.
  EXPECT_EQ(bit_rates(*index, 3, 6).peak, (bits(9, 3) + 5) / 6);
  // Segments of 2 s under a target of 6: runs have 2 to 4 of them, and two around the heavy one weigh most.
  EXPECT_EQ(bit_rates(*index, 1, 6).peak, (bits(9, 1) + bits(10, 1) + 3) / 4);
}

TEST(BitRates, AShortLastSegmentDoesNotCountAlone) {
  MoovShape shape = MoovShape::video_of(144 + 24, 48);  // 6 s and 1 s
  for (std::size_t i = 0; i < 168; ++i) shape.sizes[i] = i < 144 ? 1'000 : 50'000;
  const auto index = index_of(shape);
  const std::uint64_t whole = (segment_bytes(*index, {0, 3}) + segment_bytes(*index, {3, 1})) * 8;
  const BitRates rates = bit_rates(*index, 3, 6);
  EXPECT_EQ(rates.average, (whole + 6) / 7);
  EXPECT_EQ(rates.peak, rates.average);  // the run of both, 7 s
}

TEST(Multivariant, FirstVariantIsOneThatStartsQuickly) {
  // 24 frames a second: 1000 bytes are 192 kb/s.
  Presentation film{{video_of("video/1080", 30'000), video_of("video/720", 14'000), video_of("video/480", 6'000),
                     video_of("video/360", 2'000), audio_of("audio/en-aac", "English", true)},
                    3};
  const auto order = [&film] {
    const std::string text = multivariant_playlist({film});
    std::string ids;
    for (std::size_t at = text.find("\nvideo/"); at != std::string::npos; at = text.find("\nvideo/", at + 1)) {
      ids += text.substr(at + 7, text.find('/', at + 7) - at - 7) + " ";
    }
    return ids;
  };
  EXPECT_EQ(order(), "480 1080 720 360 ");
  film.tracks[3] = film.tracks[2] = film.tracks[1];  // all too heavy: as they come
  EXPECT_EQ(order().substr(0, 5), "1080 ");
}

TEST(Multivariant, EveryGroupHasOneDefault) {
  const Presentation film{{video_of("video/720", 5'000), audio_of("audio/en-aac", "English", false),
                           audio_of("audio/fr-aac",
                                    "Fran\xc3\xa7"
                                    "ais",
                                    true),
                           audio_of("audio/de-aac", "Deutsch", false)},
                          3};
  const std::string text = multivariant_playlist({film});
  EXPECT_EQ(count_of(text, "DEFAULT=YES"), 1u);
  EXPECT_EQ(count_of(text, "AUTOSELECT=YES"), 3u);
  EXPECT_THAT(text, HasSubstr("NAME=\"Fran\xc3\xa7"
                              "ais\",LANGUAGE=\"en\",DEFAULT=YES"));
  EXPECT_THAT(text, HasSubstr("CODECS=\"avc1.64001f,mp4a.40.2\""));
  EXPECT_THAT(text, HasSubstr("FRAME-RATE=24.000,RESOLUTION=1280x720,VIDEO-RANGE=SDR,STABLE-VARIANT-ID=\"video/720\","
                              "AUDIO=\"audio-mp4a.40.2\"\nvideo/720/media.m3u8\n"));
}

TEST(Multivariant, NamesAreMadeSafeAndDifferent) {
  const Presentation film{{video_of("video/720", 5'000), audio_of("audio/en-aac", "Director's \"cut\"\r\n#EXT", true),
                           audio_of("audio/en-aac2", "English", false), audio_of("audio/en-aac3", "English", false),
                           audio_of("audio/en-aac4", "", false)},
                          3};
  const std::string text = multivariant_playlist({film});
  EXPECT_THAT(text, HasSubstr("NAME=\"Director's 'cut'  #EXT\""));
  EXPECT_THAT(text, HasSubstr("NAME=\"English\""));
  EXPECT_THAT(text, HasSubstr("NAME=\"English (2)\""));
  EXPECT_THAT(text, HasSubstr("NAME=\"en\""));
}

TEST(Multivariant, TheBestPictureAndSoundScoresHighest) {
  const Presentation film{{video_of("video/1080", 30'000), video_of("video/480", 6'000), video_of("video/720", 14'000),
                           audio_of("audio/en-aac", "English", true)},
                          3};
  const std::string text = multivariant_playlist({film});
  for (const auto& [id, score] : {std::pair("1080", "3"), std::pair("720", "2"), std::pair("480", "1")}) {
    const std::size_t line = text.rfind("#EXT-X-STREAM-INF", text.find("\nvideo/" + std::string(id)));
    EXPECT_THAT(text.substr(line, 200), HasSubstr("SCORE=" + std::string(score) + ",")) << id;
  }
}

TEST(Multivariant, DescriptionsAreMarkedAndNeverTheDefault) {
  const Presentation film{
      {video_of("video/720", 5'000), audio_of("audio/en-description-aac", "English (AD)", false),
       audio_of("audio/en-commentary-aac", "English (commentary)", false), audio_of("audio/en-aac", "English", false)},
      3};
  const std::string text = multivariant_playlist({film});
  EXPECT_THAT(text, HasSubstr("NAME=\"English (AD)\",LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=YES,"
                              "CHARACTERISTICS=\"public.accessibility.describes-video\""));
  EXPECT_THAT(text, HasSubstr("NAME=\"English (commentary)\",LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=NO,"));
  EXPECT_THAT(text, HasSubstr("NAME=\"English\",LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,"));
}

TEST(Multivariant, TwoCodecsAreTwoGroups) {
  MoovShape surround = MoovShape::audio_of(1875);
  surround.sample_entry = test::aac_entry({0x2b, 0x11, 0x88, 0x00});
  const Presentation film{{video_of("video/720", 5'000),
                           audio_of("audio/en-aac", "English", true),
                           {"audio/en-heaac", "English", false, index_of(surround)}},
                          3};
  const std::string text = multivariant_playlist({film});
  EXPECT_EQ(count_of(text, "#EXT-X-STREAM-INF"), 2u);
  EXPECT_EQ(count_of(text, "DEFAULT=YES"), 2u);
  EXPECT_THAT(text, HasSubstr("AUDIO=\"audio-mp4a.40.5\""));
}

// A track in E-AC-3 with six channels, whose frames last 32 ms.
Track surround_of(const std::string& id, const std::string& name, std::uint32_t bytes) {
  MoovShape shape = MoovShape::audio_of(1250);  // 40 s
  shape.durations = {{1250, 1536}};
  for (std::uint32_t& size : shape.sizes) size = bytes;
  Track track{id, name, false, index_of(shape)};
  auto index = std::make_shared<mp4::TrackIndex>(*track.index);
  index->codecs = "ec-3";
  index->channels = 6;
  track.index = index;
  return track;
}

TEST(Multivariant, EveryGroupOffersTheSameLanguages) {
  Presentation film{{video_of("video/720", 5'000), audio_of("audio/en-aac", "English", false),
                     audio_of("audio/fr-aac", "French", true), audio_of("audio/de-aac", "Deutsch", false),
                     surround_of("audio/fr-eac3", "French", 1024), surround_of("audio/en-eac3", "English", 1024)},
                    3};
  for (std::size_t i = 1; i < film.tracks.size(); ++i) {
    auto index = std::make_shared<mp4::TrackIndex>(*film.tracks[i].index);
    index->language = film.tracks[i].id.substr(6, 2);
    film.tracks[i].index = index;
  }
  const std::string text = multivariant_playlist({film});
  const std::string group = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio-ec-3\",NAME=";
  EXPECT_THAT(text, HasSubstr(group +
                              "\"English\",LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=YES,CHANNELS=\"6\","
                              "STABLE-RENDITION-ID=\"audio/en-eac3\",URI=\"audio/en-eac3/media.m3u8\"\n" +
                              group +
                              "\"French\",LANGUAGE=\"fr\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"6\","
                              "STABLE-RENDITION-ID=\"audio/fr-eac3\",URI=\"audio/fr-eac3/media.m3u8\"\n" +
                              group +
                              "\"Deutsch\",LANGUAGE=\"de\",DEFAULT=NO,AUTOSELECT=YES,CHANNELS=\"2\","
                              "STABLE-RENDITION-ID=\"audio/de-aac\",URI=\"audio/de-aac/media.m3u8\"\n"));
  EXPECT_EQ(count_of(text, "DEFAULT=YES"), 2u);
  // Stereo comes first: who knows no other codec plays it, and who begins with the first variant hears it at once.
  EXPECT_LT(text.find("CODECS=\"avc1.64001f,mp4a.40.2\""), text.find("CODECS=\"avc1.64001f,ec-3,mp4a.40.2\""));
  const BitRates video = bit_rates(*film.tracks[0].index, 3, 6), audio = bit_rates(*film.tracks[4].index, 3, 6);
  EXPECT_THAT(text, HasSubstr("BANDWIDTH=" + std::to_string(video.peak + audio.peak) +
                              ",AVERAGE-BANDWIDTH=" + std::to_string(video.average + audio.average) +
                              ",SCORE=2,CODECS=\"avc1.64001f,ec-3,mp4a.40.2\""));
}

TEST(Multivariant, RatesAreThoseOfVideoAndTheHeaviestAudio) {
  Track heavy = audio_of("audio/fr-aac", "b", false);
  MoovShape shape = MoovShape::audio_of(1875);
  for (std::uint32_t& size : shape.sizes) size = 900;
  heavy.index = index_of(shape);
  const Presentation film{{video_of("video/720", 5'000), audio_of("audio/en-aac", "a", true), heavy}, 3};
  const BitRates video = bit_rates(*film.tracks[0].index, 3, 6);
  const BitRates audio = bit_rates(*heavy.index, 3, 6);
  EXPECT_THAT(multivariant_playlist({film}),
              HasSubstr("BANDWIDTH=" + std::to_string(video.peak + audio.peak) +
                        ",AVERAGE-BANDWIDTH=" + std::to_string(video.average + audio.average) + ","));
}

TEST(Multivariant, WithoutAudioThereIsNoGroup) {
  const Presentation film{{video_of("video/720", 5'000)}, 3};
  const std::string text = multivariant_playlist({film});
  EXPECT_THAT(text, Not(HasSubstr("AUDIO")));
  EXPECT_THAT(text, HasSubstr("CODECS=\"avc1.64001f\""));
}

TEST(MediaPlaylist, OneTargetForAllTracks) {
  Presentation film{{video_of("video/720", 5'000), audio_of("audio/en-aac", "English", true)}, 3};
  MoovShape slow = MoovShape::video_of(960, 96);  // key frames each 4 s: segments of 12 s
  film.tracks[0].index = index_of(slow);
  for (const Track& track : film.tracks) {
    EXPECT_THAT(media_playlist(film, track), HasSubstr("#EXT-X-TARGETDURATION:12\n"));
  }
}

TEST(MediaPlaylist, LongFilmsDoNotDrift) {
  MoovShape shape = MoovShape::video_of(48 * 2000, 48);
  shape.timescale = 24000;
  shape.durations = {{48 * 2000, 1001}};
  const Presentation film{{{"video/720", "", false, index_of(shape)}}, 1};
  const std::string text = media_playlist(film, film.tracks[0]);
  std::uint64_t sum = 0;
  std::uint64_t count = 0;
  for (std::size_t at = text.find("#EXTINF:"); at != std::string::npos; at = text.find("#EXTINF:", at + 1), ++count) {
    EXPECT_EQ(text.substr(at + 8, 9), "2.002000,");
    sum += 2'002'000;
  }
  EXPECT_EQ(count, 2000u);
  EXPECT_EQ(sum, 4'004'000'000u);

  shape.timescale = 30000;  // 1.6016 s per group would be exact too; thirds of a microsecond are not
  shape.durations = {{48 * 2000, 1501}};
  const auto odd = index_of(shape);
  const Presentation second{{{"video/720", "", false, odd}}, 1};
  const std::string odd_text = media_playlist(second, second.tracks[0]);
  sum = 0;
  for (std::size_t at = odd_text.find("#EXTINF:"); at != std::string::npos; at = odd_text.find("#EXTINF:", at + 1)) {
    sum += std::stoull(odd_text.substr(at + 8, 1)) * 1'000'000 + std::stoull(odd_text.substr(at + 10, 6));
  }
  EXPECT_EQ(sum, (odd->edit_duration * 1'000'000 + 15'000) / 30'000);
}

}  // namespace
}  // namespace reelway::origin::hls
