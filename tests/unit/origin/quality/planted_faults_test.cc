#include <filesystem>
#include <fstream>

#include "tests/unit/origin/quality/inspection_fixture.h"

namespace reelway::origin {
namespace {

// Films with one fault each, made here: the fault is found where it was planted, and nothing else of its kind.
class PlantedFaults : public InspectionTest {};

TEST_F(PlantedFaults, CleanFilmHasNone) {
  const QualityReport report = inspected(make(Film{}));
  EXPECT_TRUE(report.findings.empty()) << listed(report);
  EXPECT_FALSE(verdict(report).holds);
  EXPECT_NEAR(report.duration_s, 12, 0.2);
  ASSERT_EQ(report.loudness.size(), 1);
  EXPECT_GT(report.loudness[0].integrated_lufs, -31);
}

TEST_F(PlantedFaults, Black) {
  const QualityReport report = inspected(make({.picture_filter = "drawbox=c=black:t=fill:enable='between(t,4,6.99)'"}));
  expect_one(report, Rule::black, 4, 7);
  EXPECT_TRUE(of(report, Rule::freeze).empty()) << listed(report);
}

TEST_F(PlantedFaults, BlackUntilTheEndBlocks) {
  rules_[Rule::black].block_from = 3;
  const QualityReport report = inspected(make({.picture_filter = "drawbox=c=black:t=fill:enable='gte(t,8)'"}));
  expect_one(report, Rule::black, 8, 12);
  EXPECT_TRUE(verdict(report).holds);
}

TEST_F(PlantedFaults, Freeze) {
  const QualityReport report =
      inspected(make({.picture_filter = "split[a][b];[a][b]freezeframes=first=125:last=199:replace=125"}));
  expect_one(report, Rule::freeze, 5, 8);
}

TEST_F(PlantedFaults, Silence) {
  const QualityReport report = inspected(make({.sound_filter = "volume=0:enable='between(t,3,6)'"}));
  expect_one(report, Rule::silence, 3, 6);
}

TEST_F(PlantedFaults, LoudSection) {
  const QualityReport report = inspected(make({.sound_filter = "volume=20dB:enable='between(t,5,7)'"}));
  expect_one(report, Rule::loud_section, 5, 7);
  EXPECT_EQ(of(report, Rule::true_peak).size(), 1) << listed(report);
}

TEST_F(PlantedFaults, LoudFilm) {
  const QualityReport report = inspected(make({.sound_filter = "volume=17dB"}));
  expect_one(report, Rule::loudness, 0, 12);
}

TEST_F(PlantedFaults, OppositePhase) {
  const std::string path = make(Film{.sound_filter = "pan=stereo|c0=c0|c1=-1*c0"});
  const QualityReport report = inspected(path);
  expect_one(report, Rule::phase, 0, 12);
}

TEST_F(PlantedFaults, DeadSide) {
  rules_[Rule::missing_channel].seconds = 5;
  const QualityReport report =
      inspected(make({.sound_filter = "asplit[a][b];[a]volume=0:enable='gte(t,4)'[both];"
                                      "[b]volume=0:enable='lt(t,4)',pan=stereo|c0=c0|c1=0*c1[left];"
                                      "[both][left]amix=inputs=2:normalize=0"}));
  expect_one(report, Rule::missing_channel, 4, 12);
}

TEST_F(PlantedFaults, SwappedSidesOfOneTrack) {
  const std::string first = make(Film{});
  // The dub has the same sound, swapped between 3 s and 10 s.
  const std::string path = make(
      "-i " + first +
          " -filter_complex \"[0:a]asplit[a][b];[a]volume=1:enable='lt(t,0)',volume=0:enable='between(t,3,10)'[keep];"
          "[b]volume=0:enable='not(between(t,3,10))',pan=stereo|c0=c1|c1=c0[swap];"
          "[keep][swap]amix=inputs=2:normalize=0[dub]\" -map 0:v -map 0:a -map '[dub]' -c:v copy -c:a aac "
          "-metadata:s:a:0 language=eng -metadata:s:a:1 language=fra",
      "two.mp4");
  const QualityReport report = inspected(path);
  const auto found = of(report, Rule::swapped_channels);
  ASSERT_EQ(found.size(), 1) << listed(report);
  // Sound in the middle belongs to either side: the swap is seen from where the sound leaves the middle.
  EXPECT_GE(found[0].from_s, 2.8) << listed(report);
  EXPECT_LE(found[0].to_s, 10.2) << listed(report);
  EXPECT_GE(found[0].to_s - found[0].from_s, 5) << listed(report);
}

TEST_F(PlantedFaults, SwappedSidesThroughout) {
  const std::string first = make(Film{});
  const std::string path =
      make("-i " + first +
               " -filter_complex \"[0:a]pan=stereo|c0=c1|c1=c0,volume=-3dB[dub]\" -map 0:v -map 0:a -map '[dub]' -c:v "
               "copy -c:a aac -metadata:s:a:0 language=eng -metadata:s:a:1 language=fra",
           "two.mp4");
  const auto found = of(inspected(path), Rule::swapped_channels);
  ASSERT_EQ(found.size(), 1);
  EXPECT_LE(found[0].from_s, 0.4);
  EXPECT_GE(found[0].to_s, 11.5);
}

TEST_F(PlantedFaults, SurroundInTheOrderOfCinema) {
  const std::string tones =
      "aevalsrc='0.1*sin(2*PI*700*t)|0.1*sin(2*PI*1200*t)|0.1*sin(2*PI*900*t)|0.1*sin(2*PI*1500*t)|"
      "0.1*sin(2*PI*1700*t)|0.1*sin(2*PI*60*t):c=5.1:d=6'";
  const std::string path = make("-f lavfi -i testsrc2=s=320x240:r=25:d=6 -f lavfi -i \"" + tones +
                                    "\" -c:v libx264 -preset ultrafast -c:a flac -metadata:s:a:0 language=eng",
                                "six.mkv");
  const QualityReport report = inspected(path);
  expect_one(report, Rule::swapped_channels, 0, 6);
}

TEST_F(PlantedFaults, SurroundWithoutCentre) {
  const std::string tones =
      "aevalsrc='0.1*sin(2*PI*700*t)|0.1*sin(2*PI*1200*t)|0|0.1*sin(2*PI*60*t)|0.1*sin(2*PI*1700*t)|"
      "0.1*sin(2*PI*800*t):c=5.1:d=6'";
  const std::string path = make("-f lavfi -i testsrc2=s=320x240:r=25:d=6 -f lavfi -i \"" + tones +
                                    "\" -c:v libx264 -preset ultrafast -c:a flac -metadata:s:a:0 language=eng",
                                "six.mkv");
  const QualityReport report = inspected(path);
  expect_one(report, Rule::missing_channel, 0, 6);
  EXPECT_TRUE(of(report, Rule::swapped_channels).empty()) << listed(report);
}

TEST_F(PlantedFaults, SoundLateByItsTimes) {
  const QualityReport report = inspected(make({.before_sound = "-itsoffset 0.2"}));
  expect_one(report, Rule::av_offset, 0, 0.2);
}

TEST_F(PlantedFaults, SoundLateInItsSamples) {
  const QualityReport report = inspected(make({.sound_filter = "adelay=200:all=1"}));
  expect_one(report, Rule::av_offset, 0, 0.2);
}

// A flash and a tone of 0.3 s, every second and a bit; `late` seconds lie between them.
constexpr const char* kClapPicture = "drawbox=c=white:t=fill:enable='lt(mod(t,1.37),0.12)*gt(t,1)'";
std::string claps(const std::string& late_s) {
  return "volume='if(lt(mod(t-" + late_s + ",1.37),0.3)*gt(t,1),1,0)':eval=frame";
}

TEST_F(PlantedFaults, SoundLateAgainstThePicture) {
  rules_[Rule::silence].severity = Severity::off;
  // Sound frames of 10 ms, so that the tone begins where it should.
  const QualityReport late = inspected(
      make({.seconds = "16", .picture_filter = kClapPicture, .sound_filter = "asetnsamples=480," + claps("0.2")}));
  const auto found = of(late, Rule::av_offset);
  ASSERT_EQ(found.size(), 1) << listed(late);
  EXPECT_NEAR(found[0].measured, 0.2, 0.06) << listed(late);
  const QualityReport right = inspected(make({.seconds = "16",
                                              .picture_filter = kClapPicture,
                                              .sound_filter = "asetnsamples=480," + claps("0"),
                                              .name = "right.mp4"}));
  EXPECT_TRUE(of(right, Rule::av_offset).empty()) << listed(right);
}

TEST_F(PlantedFaults, SoundLateAgainstAnotherTrack) {
  const std::string first = make({.seconds = "16", .sound_filter = "asetnsamples=480," + claps("0")});
  const std::string path = make("-i " + first +
                                    " -filter_complex \"[0:a]adelay=200:all=1,atrim=end=16[late]\" -map 0:v -map 0:a "
                                    "-map '[late]' -c:v copy -c:a aac -metadata:s:a:0 language=eng "
                                    "-metadata:s:a:1 language=fra",
                                "two.mp4");
  const QualityReport report = inspected(path);
  const auto found = of(report, Rule::av_offset);
  ASSERT_EQ(found.size(), 1) << listed(report);
  EXPECT_NEAR(found[0].measured, 0.2, 0.06);
  EXPECT_EQ(found[0].stream, 2);
}

TEST_F(PlantedFaults, MissingKeyFrames) {
  const QualityReport report =
      inspected(make({.seconds = "30", .options = "-g 10000 -sc_threshold 0 -force_key_frames 3,25"}));
  expect_one(report, Rule::key_frames, 3, 25);
}

TEST_F(PlantedFaults, BeginningThatIsNoKeyFrame) {
  const std::string whole = make({.options = "-g 100 -bf 0 -sc_threshold 0 -f mpegts", .name = "whole.ts"});
  // Without its first key frame.
  const std::string path =
      make("-i " + whole + " -map 0 -c copy -bsf:v 'noise=drop=eq(n\\,0)' -copyts -f mpegts", "cut.ts");
  const QualityReport report = inspected(path);
  const auto found = of(report, Rule::key_frames);
  ASSERT_EQ(found.size(), 1) << listed(report);
  EXPECT_NEAR(found[0].to_s, 4, 0.2) << listed(report);
}

TEST_F(PlantedFaults, SoundShorterThanThePicture) {
  const QualityReport report = inspected(make({.sound_filter = "atrim=end=10"}));
  expect_one(report, Rule::av_length, 10, 12);
}

TEST_F(PlantedFaults, Bars) {
  const QualityReport report = inspected(make({.picture_filter = "scale=320:180,pad=320:240:0:30"}));
  expect_one(report, Rule::crop, 0, 12);
  EXPECT_EQ(report.crop, (CropFrame{320, 180, 0, 30}));
}

TEST_F(PlantedFaults, Interlaced) {
  const QualityReport report = inspected(
      make({.picture_filter = "framerate=50,tinterlace=mode=interleave_top,fieldorder=tff", .options = "-g 50 -r 25"}));
  EXPECT_EQ(of(report, Rule::interlaced).size(), 1) << listed(report);
  EXPECT_TRUE(report.interlaced);
}

TEST_F(PlantedFaults, Telecine) {
  const QualityReport report = inspected(make({.picture_filter = "fps=24,telecine=pattern=23"}));
  EXPECT_EQ(of(report, Rule::telecine).size(), 1) << listed(report);
  EXPECT_TRUE(report.telecine);
}

TEST_F(PlantedFaults, VariableRate) {
  const QualityReport report =
      inspected(make({.picture_filter = "select='not(mod(n,3)*between(t,4,8))'", .options = "-g 50 -fps_mode vfr"}));
  expect_one(report, Rule::vfr, 4, 8);
}

TEST_F(PlantedFaults, LanguagesMissingAndTwice) {
  const std::string path =
      make("-i " + make(Film{}) +
               " -map 0:v -map 0:a -map 0:a -map 0:a -c copy -metadata:s:a:0 language=eng -metadata:s:a:1 language= "
               "-metadata:s:a:2 language=eng",
           "three.mkv");
  const auto found = of(inspected(path), Rule::language);
  ASSERT_EQ(found.size(), 2);
  EXPECT_EQ(found[0].stream, 2);
  EXPECT_EQ(found[1].stream, 3);
}

TEST_F(PlantedFaults, DamageIsFoundWhereItIs) {
  const std::string path = make(Film{.options = "-g 50 -bf 0", .name = "film.ts"});
  // 2 % of the file, at two thirds of it.
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
  for (std::streamoff at = size * 66 / 100; at < size * 68 / 100; at += 3) {
    file.seekp(at);
    file.put('\x5a');
  }
  file.close();
  const QualityReport report = inspected(path);
  const auto found = of(report, Rule::decode_error);
  ASSERT_GE(found.size(), 1) << listed(report);
  EXPECT_NEAR(found[0].from_s, 12 * 0.66, 1) << listed(report);
  EXPECT_TRUE(verdict(report).holds);
}

TEST_F(PlantedFaults, SubtitlesOfTheFilm) {
  std::ofstream(folder_.at("bad.srt")) << "1\n00:00:01,000 --> 00:00:01,300\nMuch too much to be read in so little "
                                          "time by anybody\n\n2\n00:00:05,000 --> 00:00:20,000\nAfter the end\n";
  const std::string path = make("-i " + make(Film{}) + " -i " + folder_.at("bad.srt") +
                                    " -map 0 -map 1 -c copy -c:s mov_text -metadata:s:s:0 language=eng",
                                "subtitled.mp4");
  const QualityReport report = inspected(path);
  for (const Rule rule : {Rule::subtitle_speed, Rule::subtitle_line_length, Rule::subtitle_end}) {
    EXPECT_EQ(of(report, rule).size(), 1) << rule_info(rule).name << "\n" << listed(report);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.at("subtitle-2.srt")));
}

// Films named by REELWAY_CLEAN_FILMS (paths with colons between): none of their findings blocks.
TEST_F(PlantedFaults, CleanFilmsOfTheMachine) {
  const char* named = std::getenv("REELWAY_CLEAN_FILMS");
  if (named == nullptr) GTEST_SKIP() << "REELWAY_CLEAN_FILMS names no films";
  const std::string paths = named;
  for (std::size_t begin = 0; begin < paths.size();) {
    const std::size_t end = std::min(paths.find(':', begin), paths.size());
    const std::string path = paths.substr(begin, end - begin);
    const QualityReport report = inspected(path);
    EXPECT_EQ(verdict(report).blocking, 0) << path << "\n" << listed(report);
    std::printf("%s: %zu findings\n%s", path.c_str(), report.findings.size(), listed(report).c_str());
    begin = end + 1;
  }
}

}  // namespace
}  // namespace reelway::origin
