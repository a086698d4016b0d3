#include "origin/transcode/encode_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "origin/transcode/sound_plan.h"

namespace reelway::origin {
namespace {

SourceFacts film(FrameRate rate, double video_s, double audio_s) {
  SourceFacts facts;
  facts.video = {0, 640, 360, rate, false, false, video_s};
  facts.audio = {{1, "en", "", true, audio_s}};
  facts.video_end_s = video_s;
  facts.audio_end_s = audio_s;
  return facts;
}

TEST(EncodePlan, GroupsLastTwoSeconds) {
  EXPECT_EQ(plan_encode(film({24, 1}, 10, 10), "en").group_frames, 48u);
  EXPECT_EQ(plan_encode(film({24000, 1001}, 10, 10), "en").group_frames, 48u);
  EXPECT_EQ(plan_encode(film({25, 1}, 10, 10), "en").group_frames, 50u);
  EXPECT_EQ(plan_encode(film({30000, 1001}, 10, 10), "en").group_frames, 60u);
  EXPECT_EQ(plan_encode(film({60, 1}, 10, 10), "en").group_frames, 120u);
}

TEST(EncodePlan, FramesAndSamplesCoverTheFilm) {
  const EncodePlan plan = plan_encode(film({30000, 1001}, 10.01, 10.05), "en");
  EXPECT_EQ(plan.frames, 300u);
  EXPECT_EQ(plan.audio_samples(), 480'480u);
  EXPECT_EQ(plan.still_s, 0);
}

TEST(EncodePlan, TimesCountFromTheContainersStart) {
  SourceFacts facts = film({25, 1}, 11.4, 11.4);
  facts.start_s = 1.4;
  EXPECT_EQ(plan_encode(facts, "en").frames, 250u);
}

TEST(EncodePlan, LastPictureStandsWhileAudioGoesOn) {
  const EncodePlan plan = plan_encode(film({25, 1}, 10, 12), "en");
  EXPECT_DOUBLE_EQ(plan.still_s, 2);
  EXPECT_EQ(plan.frames, 300u);
}

TEST(EncodePlan, OneAudioTrackALanguageTheDefaultOneFirst) {
  SourceFacts facts = film({25, 1}, 10, 10);
  facts.audio = {{1, "", "", false, 10}, {2, "fr", "Commentaire", false, 10}, {3, "fr", "Stéréo", true, 10}};
  const EncodePlan plan = plan_encode(facts, "en");
  ASSERT_EQ(plan.audio.size(), 2u);
  EXPECT_EQ(plan.audio[0].track_id, "audio/fr-aac");
  EXPECT_EQ(plan.audio[0].stream, 3);
  EXPECT_EQ(plan.audio[0].name, "Stéréo");
  EXPECT_TRUE(plan.audio[0].is_default);
  EXPECT_EQ(plan.audio[1].track_id, "audio/en-aac");
  EXPECT_FALSE(plan.audio[1].is_default);
}

TEST(EncodePlan, NamesSayNothingOfTheSourcesFormat) {
  SourceFacts facts = film({25, 1}, 10, 10);
  for (const char* title : {"", "5.1", "Surround 5.1", "Dolby Digital Plus 7.1", "DTS-HD MA", "STEREO"}) {
    facts.audio[0].title = title;
    EXPECT_EQ(plan_encode(facts, "en").audio[0].name, "en") << title;
  }
  for (const char* title : {"English", "English 5.1", "Director's cut", "m"}) {
    facts.audio[0].title = title;
    EXPECT_EQ(plan_encode(facts, "en").audio[0].name, title);
  }
}

TEST(SoundPlan, EachLanguageWithSurroundSoundGetsASecondTrack) {
  SourceFacts facts = film({25, 1}, 10, 10);
  facts.audio = {{1, "en", "Original", true, 10, "5.1(side)"},
                 {2, "fr", "", false, 10, "stereo"},
                 {3, "fr", "Commentaire", false, 10, "5.1", true},
                 {4, "fr", "VF 5.1", false, 10, "7.1"},
                 {5, "de", "", false, 10, "stereo"}};
  EncodePlan plan = plan_encode(facts, "en");
  plan_surround(plan, facts, "en", SoundCodec::eac3);
  ASSERT_EQ(plan.audio.size(), 5u);
  EXPECT_EQ(plan.audio[2].track_id, "audio/de-aac");
  const AudioOutput &english = plan.audio[3], &french = plan.audio[4];
  EXPECT_EQ(english.track_id, "audio/en-eac3");
  EXPECT_EQ(english.stream, 1);
  EXPECT_EQ(english.name, "Original");
  EXPECT_FALSE(english.is_default);
  EXPECT_TRUE(plan.audio[0].is_default);
  // Of the film's own sound, not of a commentary; under the name that the language has in stereo.
  EXPECT_EQ(french.stream, 4);
  EXPECT_EQ(french.name, plan.audio[1].name);
  EXPECT_EQ(french.layout, "7.1");
}

TEST(SoundPlan, TracksAreLevelledByWhatTheyAreMadeOf) {
  SourceFacts facts = film({25, 1}, 10, 10);
  facts.audio = {{1, "en", "", true, 10, "7.1"}, {2, "fr", "", false, 10, ""}};
  EncodePlan plan = plan_encode(facts, "en");
  plan_surround(plan, facts, "en", SoundCodec::ac3);
  level_plan(plan, {{1, {-20, -5}, SoundMeasure{-30, -15}, SoundMeasure{-26, -12}}, {2, {-20, -5}, {}, {}}}, {});
  ASSERT_EQ(plan.audio.size(), 3u);
  EXPECT_EQ(plan.audio[0].level.gain_millibels, 600);
  EXPECT_EQ(plan.audio[2].level.gain_millibels, 200);
  // FFmpeg would mix channels that are not known by rules of its own, which nothing has measured.
  EXPECT_EQ(plan.audio[1].level.end, LevelEnd::unmeasured);
  const std::vector<EncodePart> parts = encode_parts(plan);
  EXPECT_EQ(parts.back().name, "audio-en-ac3");
}

TEST(EncodePlan, FileNamesAreFlat) {
  EXPECT_EQ(track_file("video/720"), "video-720.mp4");
  EXPECT_EQ(track_index_file("audio/en-aac"), "audio-en-aac.idx");
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + " ";
  return text;
}

TEST(FfmpegArguments, OneDecodeFeedsEveryOutput) {
  EncodePlan plan = plan_encode(film({25, 1}, 10, 10), "en");
  plan.source = "/in/source";
  plan.output_folder = "/out";
  const std::vector<EncodePart> parts = encode_parts(plan);
  ASSERT_EQ(parts.size(), 2u);
  const std::string text = joined(ffmpeg_arguments(plan, parts[0], "/usr/bin/ffmpeg"));
  EXPECT_THAT(text, testing::StartsWith("/usr/bin/ffmpeg "));
  EXPECT_EQ(text.find(" -i "), text.rfind(" -i "));
  EXPECT_THAT(text, testing::HasSubstr("-i file:/in/source"));
  EXPECT_THAT(text, testing::HasSubstr("trim=end_frame=250"));
  EXPECT_THAT(text, testing::HasSubstr("split=2[v0][s1];[s1]scale=426:240"));
  for (const char* file : {"video-360.mp4", "video-240.mp4"}) {
    EXPECT_THAT(text, testing::HasSubstr(std::string("file:/out/") + file));
  }
  EXPECT_THAT(text, testing::HasSubstr("-g 50 -keyint_min 50 -sc_threshold 0"));
  const std::string sound = joined(ffmpeg_arguments(plan, parts[1], "/usr/bin/ffmpeg"));
  EXPECT_THAT(sound, testing::HasSubstr("apad=whole_len=480000,atrim=end_sample=480000[a]"));
  EXPECT_THAT(sound, testing::HasSubstr("file:/out/audio-en-aac.mp4"));
  EXPECT_THAT(sound, testing::HasSubstr("language=eng"));
}

TEST(FfmpegArguments, SoundIsMixedLevelledAndEncodedAsPlanned) {
  SourceFacts facts = film({25, 1}, 10, 10);
  facts.audio[0].layout = "5.1";
  EncodePlan plan = plan_encode(facts, "en");
  plan_surround(plan, facts, "en", SoundCodec::eac3);
  plan.audio[0].level.gain_millibels = -357;
  const std::vector<EncodePart> parts = encode_parts(plan);
  ASSERT_EQ(parts.size(), 3u);
  const std::string stereo = joined(ffmpeg_arguments(plan, parts[1], "ffmpeg"));
  EXPECT_THAT(stereo, testing::HasSubstr("pan=stereo|FL=FL+0.70711*FC+0.70711*BL|FR="));
  EXPECT_THAT(stereo, testing::HasSubstr(",volume=volume=-3.57dB:precision=float,aformat="));
  EXPECT_THAT(stereo, testing::HasSubstr("channel_layouts=stereo,apad=whole_len=480000,atrim=end_sample=480000[a]"));
  EXPECT_THAT(stereo, testing::HasSubstr("-c:a aac -b:a 128k"));
  const std::string surround = joined(ffmpeg_arguments(plan, parts[2], "ffmpeg"));
  EXPECT_THAT(surround, testing::HasSubstr("pan=5.1(side)|FL=FL|FR=FR|FC=FC|LFE=LFE|SL=BL|SR=BR,"));
  EXPECT_THAT(surround, testing::Not(testing::HasSubstr("volume=")));
  EXPECT_THAT(surround, testing::HasSubstr("channel_layouts=5.1(side),apad=whole_len=480000,atrim=end_sample=480000,"
                                           "apad=pad_len=256[a]"));
  EXPECT_THAT(surround, testing::HasSubstr("-c:a eac3 -b:a 256k -flags:a +bitexact -dialnorm -31"));
  EXPECT_THAT(surround, testing::HasSubstr("file:"));
}

TEST(EncodeParts, TileTheFilmInWholeGroups) {
  SourceFacts facts = film({24000, 1001}, 605, 605);
  facts.format = "mov,mp4,m4a,3gp,3g2,mj2";
  const EncodePlan plan = plan_encode(facts, "en");
  std::uint64_t next = 0;
  for (const EncodePart& part : encode_parts(plan)) {
    if (part.audio) continue;
    EXPECT_EQ(part.first_frame, next);
    EXPECT_EQ(part.first_frame % plan.group_frames, 0u);
    EXPECT_GE(part.frames, plan.chunk_frames / 3);
    EXPECT_LE(part.frames, plan.chunk_frames * 4 / 3);
    next += part.frames;
  }
  EXPECT_EQ(next, plan.frames);
  EXPECT_EQ(encode_parts(plan).size(), 11u);
  EXPECT_EQ(encode_parts(plan)[9].name, "video-0009");
}

TEST(EncodeParts, FilmWithoutAnIndexIsOnePart) {
  SourceFacts facts = film({25, 1}, 605, 605);
  facts.format = "mpegts";
  EXPECT_EQ(encode_parts(plan_encode(facts, "en")).size(), 2u);
}

TEST(FfmpegArguments, LaterPartBeginsAtItsPlace) {
  SourceFacts facts = film({25, 1}, 130, 130);
  facts.format = "matroska,webm";
  const EncodePlan plan = plan_encode(facts, "en");
  const std::vector<EncodePart> parts = encode_parts(plan);
  const std::string first = joined(ffmpeg_arguments(plan, parts[0], "ffmpeg"));
  const std::string second = joined(ffmpeg_arguments(plan, parts[1], "ffmpeg"));
  EXPECT_THAT(first, testing::Not(testing::HasSubstr(" -ss ")));
  EXPECT_THAT(first, testing::Not(testing::HasSubstr("tpad")));
  const std::string last = joined(ffmpeg_arguments(plan, parts[parts.size() - 2], "ffmpeg"));
  EXPECT_THAT(second, testing::HasSubstr("-copyts -start_at_zero -noaccurate_seek -ss 14.000000 "));
  EXPECT_THAT(second, testing::HasSubstr("start_time=16.000000,trim=end_frame=400,"));
  EXPECT_THAT(last, testing::HasSubstr("start_time=112.000000,tpad="));
  EXPECT_THAT(last, testing::HasSubstr("trim=end_frame=450,"));
}

TEST(FfmpegArguments, PeakIsOneAndAHalfTimesTheAverage) {
  const EncodePlan plan = plan_encode(film({25, 1}, 10, 10), "en");
  const std::string text = joined(ffmpeg_arguments(plan, encode_parts(plan)[0], "ffmpeg"));
  for (const Rung& rung : plan.rungs) {
    EXPECT_THAT(text, testing::HasSubstr("-b:v " + std::to_string(rung.bits_per_second) + " -maxrate " +
                                         std::to_string(rung.bits_per_second * 3 / 2)));
  }
}

TEST(FfmpegArguments, FiltersFollowTheSource) {
  EncodePlan plan = plan_encode(film({25, 1}, 10, 10), "en");
  EXPECT_THAT(joined(ffmpeg_arguments(plan, encode_parts(plan)[0], "ffmpeg")),
              testing::Not(testing::HasSubstr("yadif")));
  plan.deinterlace = Deinterlace::flagged;
  plan.tone_map = true;
  plan.rungs.resize(1);
  const std::string text = joined(ffmpeg_arguments(plan, encode_parts(plan)[0], "ffmpeg"));
  EXPECT_THAT(text, testing::HasSubstr("yadif"));
  EXPECT_THAT(text, testing::HasSubstr("tonemap=hable"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("split")));
}

std::string arguments_of(const EncodePlan& plan) {
  return joined(ffmpeg_arguments(plan, encode_parts(plan)[0], "ffmpeg"));
}

// A filter that takes the wrong field first makes a picture worse, so the order is found too.
TEST(FfmpegArguments, WhatWasFoundInterlacedIsJudgedPictureByPicture) {
  EncodePlan plan = plan_encode(film({25, 1}, 10, 10), "en");
  plan.deinterlace = Deinterlace::flagged;
  EXPECT_THAT(arguments_of(plan), testing::Not(testing::HasSubstr("idet")));
  plan.deinterlace = Deinterlace::found;
  EXPECT_THAT(arguments_of(plan), testing::HasSubstr("]idet,yadif=mode=send_frame:deint=interlaced,"));
  plan.deinterlace = Deinterlace::telecine;
  EXPECT_THAT(arguments_of(plan), testing::HasSubstr("]idet,fieldmatch=combmatch=full,yadif="));
  EXPECT_THAT(arguments_of(plan), testing::Not(testing::HasSubstr("decimate")));
}

SourceFacts framed(std::uint32_t columns, std::uint32_t rows, std::uint32_t width, std::uint32_t height) {
  SourceFacts facts = film({25, 1}, 10, 10);
  facts.video.pixel_columns = columns;
  facts.video.pixel_rows = rows;
  facts.video.width = width;
  facts.video.height = height;
  return facts;
}

TEST(EncodePlan, LadderIsThatOfThePictureWithinTheFrame) {
  const SourceFacts facts = framed(1920, 1080, 1920, 1080);
  EncodePlan plan = plan_encode(facts, "en");
  apply_crop(plan, facts, {1920, 800, 0, 140});
  EXPECT_EQ(plan.rungs.front().width, 1920u);
  EXPECT_EQ(plan.rungs.front().height, 800u);
  EXPECT_EQ(plan.rungs.front().track_id, "video/800");
  EXPECT_THAT(arguments_of(plan), testing::HasSubstr("[0:0]crop=1920:800:0:140,fps="));
}

// The frame counts the source's pixels; what is shown has square ones.
TEST(EncodePlan, FrameOfWidePixelsIsShownWide) {
  const SourceFacts facts = framed(640, 540, 960, 540);
  EncodePlan plan = plan_encode(facts, "en");
  apply_crop(plan, facts, {640, 400, 0, 70});
  EXPECT_EQ(plan.rungs.front().width, 960u);
  EXPECT_EQ(plan.rungs.front().height, 400u);
}

TEST(EncodePlan, FrameThatDoesNotFitChangesNothing) {
  const SourceFacts facts = framed(640, 360, 640, 360);
  const EncodePlan whole = plan_encode(facts, "en");
  for (const CropFrame& frame : {CropFrame{640, 360, 0, 2}, {640, 32, 0, 0}, {4294967294u, 360, 4, 0}}) {
    EncodePlan plan = whole;
    apply_crop(plan, facts, frame);
    EXPECT_FALSE(plan.crop);
    EXPECT_EQ(plan.rungs, whole.rungs);
  }
}

TEST(FfmpegArguments, SampleBeginsAtAKeyFrameAndTakesTheBitsThatItNeeds) {
  const EncodePlan plan = plan_encode(film({25, 1}, 10, 10), "en");
  EncodePart part{"sample-1", std::nullopt, 125, 50};
  part.is_sample = true;
  const std::string text = joined(ffmpeg_arguments(plan, part, "ffmpeg"));
  EXPECT_THAT(text, testing::HasSubstr("-noaccurate_seek -ss 5.000000 "));
  EXPECT_THAT(text, testing::HasSubstr("-crf " + std::to_string(kProbeQuality)));
  for (const char* word : {"-copyts", "start_time", "tpad", "-b:v", "-maxrate"}) {
    EXPECT_THAT(text, testing::Not(testing::HasSubstr(word)));
  }
}

TEST(ProbeArguments, OnlyFilesOfFilmContainersAreOpened) {
  for (const auto& words : {probe_arguments("/in", "ffprobe"), packet_scan_arguments("/in", "ffprobe")}) {
    EXPECT_THAT(joined(words), testing::HasSubstr("-protocol_whitelist file -format_whitelist "));
    EXPECT_THAT(joined(words), testing::Not(testing::HasSubstr("hls")));
    EXPECT_EQ(words.back(), "file:/in");
  }
}

}  // namespace
}  // namespace reelway::origin
