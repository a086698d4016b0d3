// What films sound like after their ingest, measured with FFmpeg on the stored tracks.

#include <spdlog/fmt/fmt.h>

#include <array>
#include <cmath>
#include <cstdio>

#include "tests/unit/origin/jobs/ingest_fixture.h"

namespace reelway::origin {
namespace {

// A program's standard error.
std::string errors_of(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1 >/dev/null").c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::string text;
  std::array<char, 4096> piece{};
  for (std::size_t count; (count = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;) {
    text.append(piece.data(), count);
  }
  EXPECT_EQ(::pclose(pipe), 0) << command << "\n" << text;
  return text;
}

struct Heard {
  double lufs = 0, peak_dbtp = 0;
};

// By FFmpeg's own meter, from its summary.
Heard heard(const std::string& file) {
  const std::string text =
      errors_of("/usr/bin/ffmpeg -hide_banner -nostats -nostdin -i " + file + " -af ebur128=peak=true -f null -");
  const std::string summary = text.substr(std::min(text.rfind("Summary:"), text.size()));
  const auto value = [&](const char* name) {
    const std::size_t place = summary.find(name);
    EXPECT_NE(place, std::string::npos) << text;
    return place == std::string::npos ? 0 : std::atof(summary.c_str() + place + std::string_view(name).size());
  };
  return {value("I:"), value("Peak:")};
}

class SoundTest : public IngestJobsTest {
 protected:
  // A picture with this sound, 6 s of both. The sound is stored as it is.
  std::string film_with(const std::string& sound) {
    return film("-f lavfi -i testsrc2=s=128x96:r=25:d=6 -f lavfi -i \"" + sound +
                    "\" -t 6 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a pcm_s24le",
                "film.mov");
  }
  // A tone of 1 kHz on both sides has the loudness of its peak, in dBFS.
  static std::string tone(double lufs, const std::string& more = "") {
    const double factor = std::pow(10, lufs / 20);
    return fmt::format("aevalsrc='{0:.6f}*sin(2*PI*1000*t){1}|{0:.6f}*sin(2*PI*1000*t){1}':s=48000", factor, more);
  }

  VersionRecord made(const std::string& film, const std::string& title) {
    const JobRecord job = ingest(film, title);
    EXPECT_EQ(job.state, JobState::done) << (job.error ? describe(*job.error) : "");
    const auto version = catalog_->version(title, "v1");
    EXPECT_TRUE(version.ok());
    return version.ok() ? *version : VersionRecord{};
  }
  const TrackRecord& track(const VersionRecord& version, const std::string& id) {
    static const TrackRecord none;
    for (const TrackRecord& one : version.tracks) {
      if (one.id == id) return one;
    }
    ADD_FAILURE() << "no track " << id;
    return none;
  }
  std::string file_of(const VersionRecord& version, const TrackRecord& track) {
    return catalog_->version_folder(version.title, version.version) + "/" + track.file;
  }
  mp4::TrackIndex index_of(const VersionRecord& version, const TrackRecord& track) {
    const auto bytes =
        read_whole_file(catalog_->version_folder(version.title, version.version) + "/" + track.index, 1 << 26);
    EXPECT_TRUE(bytes.ok());
    auto index = mp4::parse_index(*bytes);
    EXPECT_TRUE(index.ok());
    return *index;
  }
};

TEST_F(SoundTest, SoftAndLoudFilmsAreBroughtToTheTarget) {
  ASSERT_TRUE(jobs_->start().ok());
  for (const int lufs : {-35, -23, -14}) {
    const VersionRecord version = made(film_with(tone(lufs)), fmt::format("film{}", -lufs));
    const TrackRecord& sound = track(version, "audio/en-aac");
    ASSERT_TRUE(sound.level && sound.level->measured) << lufs;
    EXPECT_EQ(sound.level->end, LevelEnd::reached) << lufs;
    EXPECT_NEAR(sound.level->measured->integrated_lufs, lufs, 0.2);
    EXPECT_NEAR(sound.level->gain_db(), -24 - lufs, 0.2);
    EXPECT_NEAR(heard(file_of(version, sound)).lufs, -24, 0.5) << lufs;
  }
}

TEST_F(SoundTest, PeaksHoldAFilmBelowItsTarget) {
  ASSERT_TRUE(jobs_->start().ok());
  // Soft, but for one click at -6 dBFS.
  const VersionRecord version = made(film_with(tone(-40, "+0.49*between(t,3,3.001)*sin(2*PI*1000*t)")), "film");
  const TrackRecord& sound = track(version, "audio/en-aac");
  ASSERT_TRUE(sound.level && sound.level->measured);
  EXPECT_EQ(sound.level->end, LevelEnd::peak);
  EXPECT_NEAR(sound.level->measured->true_peak_dbtp + sound.level->gain_db(), -2, 0.02);
  EXPECT_NEAR(heard(file_of(version, sound)).lufs, sound.level->measured->integrated_lufs + sound.level->gain_db(),
              0.5);
  EXPECT_LT(heard(file_of(version, sound)).lufs, -24.5);
  EXPECT_LT(heard(file_of(version, sound)).peak_dbtp, 0);
}

TEST_F(SoundTest, OnlyTheLevelChanges) {
  ASSERT_TRUE(jobs_->start().ok());
  const std::string path = film_with(tone(-30));
  const VersionRecord levelled = made(path, "levelled");
  options_.sound.loudness.target_lufs.reset();
  restart();
  ASSERT_TRUE(jobs_->start().ok());
  const VersionRecord plain = made(path, "plain");
  const TrackRecord &one = track(levelled, "audio/en-aac"), &other = track(plain, "audio/en-aac");
  EXPECT_EQ(one.level->gain_millibels, 600);
  EXPECT_EQ(other.level->gain_millibels, 0);
  EXPECT_EQ(other.level->end, LevelEnd::off);
  EXPECT_NEAR(heard(file_of(plain, other)).lufs, -30, 0.5);
  const mp4::TrackIndex a = index_of(levelled, one), b = index_of(plain, other);
  EXPECT_EQ(a.samples.size(), b.samples.size());
  EXPECT_EQ(a.edit_start, b.edit_start);
  EXPECT_EQ(a.edit_duration, b.edit_duration);
  EXPECT_EQ(a.edit_duration, 6u * 48'000);
  EXPECT_EQ(a.media_duration, b.media_duration);
}

TEST_F(SoundTest, StereoOfSurroundIsMeasuredAsItIsMixed) {
  ASSERT_TRUE(jobs_->start().ok());
  // The same tone in five channels adds up in the mix: this has far more loudness than any of them.
  const VersionRecord version =
      made(film_with("aevalsrc='0.2*sin(2*PI*700*t)|0.2*sin(2*PI*700*t)|0.2*sin(2*PI*700*t)|"
                     "0.5*sin(2*PI*50*t)|0.2*sin(2*PI*700*t)|0.2*sin(2*PI*700*t)':c=5.1:s=48000"),
           "surround");
  const TrackRecord& sound = track(version, "audio/en-aac");
  ASSERT_TRUE(sound.level && sound.level->measured);
  EXPECT_EQ(sound.level->end, LevelEnd::reached);
  EXPECT_NEAR(sound.level->measured->true_peak_dbtp, 20 * std::log10(0.2 * (1 + 2 * 0.70711)), 0.1);
  EXPECT_NEAR(heard(file_of(version, sound)).lufs, -24, 0.5);
}

// A tone of its own in each channel, of L R C LFE Ls Rs in 5.1, and of the further pair of 7.1.
constexpr std::array<int, 8> kTones{440, 660, 880, 60, 1320, 1760, 2200, 2640};

std::string tones(int channels, const std::string& layout) {
  std::string values;
  for (int i = 0; i < channels; ++i) {
    values += fmt::format("{}0.1*sin(2*PI*{}*t)", i == 0 ? "" : "|", kTones[static_cast<std::size_t>(i)]);
  }
  return fmt::format("aevalsrc='{}':c={}:s=48000", values, layout);
}

// How loud a tone is in one channel, in dBFS of its RMS: what a narrow band around it holds.
double tone_db(const std::string& file, int channel, int tone) {
  const std::string text = errors_of(fmt::format(
      "/usr/bin/ffmpeg -hide_banner -nostats -nostdin -i {} -af \"pan=mono|c0=c{},bandpass=f={}:width_type=q:w=30,"
      "bandpass=f={}:width_type=q:w=30,atrim=start=1,astats=measure_perchannel=none\" -f null -",
      file, channel, tone, tone));
  const std::size_t place = text.find("RMS level dB:");
  EXPECT_NE(place, std::string::npos) << text;
  return place == std::string::npos ? 0 : std::atof(text.c_str() + place + 13);
}

TEST_F(SoundTest, SurroundIsKeptBesideStereo) {
  ASSERT_TRUE(jobs_->start().ok());
  const VersionRecord version = made(film_with(tones(6, "5.1")), "film");
  ASSERT_EQ(version.tracks.size(), 3u);
  const TrackRecord &stereo = track(version, "audio/en-aac"), &surround = track(version, "audio/en-eac3");
  EXPECT_TRUE(stereo.is_default);
  EXPECT_FALSE(surround.is_default);
  EXPECT_EQ(stereo.name, surround.name);
  const mp4::TrackIndex two = index_of(version, stereo), six = index_of(version, surround);
  EXPECT_EQ(six.codecs, "ec-3");
  EXPECT_EQ(six.channels, 6u);
  EXPECT_EQ(two.channels, 2u);
  // Both begin with the film and end with it, and are cut at the same times to within one frame.
  EXPECT_EQ(two.edit_duration, 6u * 48'000);
  EXPECT_EQ(six.edit_duration, 6u * 48'000);
  EXPECT_EQ(six.edit_start, 256);
  EXPECT_GE(six.media_duration, six.edit_duration + 256);
  ASSERT_EQ(two.units.size(), six.units.size());
  for (std::size_t unit = 0; unit < two.units.size(); ++unit) {
    EXPECT_NEAR(static_cast<double>(mp4::unit_start(two, unit)), static_cast<double>(mp4::unit_start(six, unit)), 1536);
  }
  // Each tone is in its channel, as loud as before but for the gain, and nowhere else.
  ASSERT_TRUE(surround.level);
  for (int channel = 0; channel < 6; ++channel) {
    for (int tone = 0; tone < 6; ++tone) {
      const double level_db = tone_db(file_of(version, surround), channel, kTones[static_cast<std::size_t>(tone)]);
      const double expected_db = 20 * std::log10(0.1 * std::sqrt(0.5)) + surround.level->gain_db();
      if (tone == channel)
        EXPECT_NEAR(level_db, expected_db, 1) << channel;
      else
        EXPECT_LT(level_db, expected_db - 25) << tone << " in " << channel;
    }
  }
  for (const TrackRecord* sound : {&stereo, &surround}) {
    EXPECT_EQ(sound->level->end, LevelEnd::reached) << sound->id;
    EXPECT_NEAR(heard(file_of(version, *sound)).lufs, -24, 0.5) << sound->id;
  }
}

TEST_F(SoundTest, MoreThanFiveChannelsBecomeFiveAndFewerStayWhatTheyAre) {
  options_.sound.surround = SoundCodec::ac3;
  restart();
  ASSERT_TRUE(jobs_->start().ok());
  const VersionRecord seven = made(film_with(tones(8, "7.1")), "seven");
  const TrackRecord& surround = track(seven, "audio/en-ac3");
  EXPECT_EQ(index_of(seven, surround).codecs, "ac-3");
  EXPECT_EQ(index_of(seven, surround).channels, 6u);
  ASSERT_TRUE(surround.level);
  const double stored_db = 20 * std::log10(0.1 * std::sqrt(0.5)) + surround.level->gain_db();
  // FFmpeg's 7.1 has the pair at the back before the one at the sides.
  EXPECT_NEAR(tone_db(file_of(seven, surround), 4, kTones[6]), stored_db, 1);
  EXPECT_NEAR(tone_db(file_of(seven, surround), 4, kTones[4]), stored_db - 3, 1);
  EXPECT_NEAR(tone_db(file_of(seven, surround), 5, kTones[7]), stored_db, 1);
  EXPECT_NEAR(heard(file_of(seven, surround)).lufs, -24, 0.5);

  const VersionRecord quad = made(film_with(tones(4, "quad")), "quad");
  EXPECT_EQ(quad.tracks.size(), 2u);
  const VersionRecord mono = made(film_with("sine=f=440:r=48000"), "mono");
  ASSERT_EQ(mono.tracks.size(), 2u);
  EXPECT_EQ(index_of(mono, track(mono, "audio/en-aac")).channels, 2u);
  EXPECT_NEAR(heard(file_of(mono, track(mono, "audio/en-aac"))).lufs, -24, 0.5);
}

TEST_F(SoundTest, SurroundIsTheSameBytesEachTime) {
  ASSERT_TRUE(jobs_->start().ok());
  const std::string path = film_with(tones(6, "5.1"));
  const VersionRecord one = made(path, "one"), two = made(path, "two");
  for (const char* id : {"audio/en-aac", "audio/en-eac3"}) {
    const auto first = read_whole_file(file_of(one, track(one, id)), 1 << 26);
    const auto second = read_whole_file(file_of(two, track(two, id)), 1 << 26);
    ASSERT_TRUE(first.ok() && second.ok());
    EXPECT_TRUE(*first == *second) << id;
  }
}

TEST_F(SoundTest, SurroundMayBeOff) {
  options_.sound.surround.reset();
  restart();
  ASSERT_TRUE(jobs_->start().ok());
  EXPECT_EQ(made(film_with(tones(6, "5.1")), "film").tracks.size(), 2u);
}

}  // namespace
}  // namespace reelway::origin
