#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "origin/hls/multivariant_playlist.h"
#include "origin/hls/ts_clock.h"
#include "origin/hls/ts_segment.h"
#include "tests/support/ts_segments.h"

// Films that ffmpeg makes here, packaged as transport streams and read back by ffmpeg as a player would, and packet by
// packet.

namespace reelway::origin::hls {
namespace {

using test::Film;
using test::FilmShape;
using test::output_of;
using ::testing::IsEmpty;

struct NamedShape {
  const char* name;
  FilmShape shape;
  std::string sound = {};  // instead of AAC: ffmpeg's options
};

std::string quoted(const std::filesystem::path& path) {
  return "'" + path.string() + "'";
}

std::string decoded(const std::string& input, const std::string& stream) {
  return output_of("/usr/bin/ffmpeg -v warning -i " + input + " -map 0:" + stream +
                   " -fps_mode passthrough -f framemd5 - 2>&1 | grep -v '^#' | sed 's/.*, *//'");
}

// Presentation times in microseconds, in the order in which the packets come.
std::vector<double> packet_times(const std::string& input, const std::string& stream) {
  std::istringstream lines(output_of("/usr/bin/ffprobe -v error -select_streams " + stream +
                                     " -show_entries packet=pts_time -of csv=p=0 " + input + " 2>&1 | sed 's/,.*//'"));
  std::vector<double> times;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) times.push_back(std::stod(line));
  }
  return times;
}

std::vector<int> nal_types(const Bytes& es) {
  std::vector<int> types;
  for (std::size_t i = 0; i + 4 < es.size(); ++i) {
    if (es[i] == 0 && es[i + 1] == 0 && es[i + 2] == 0 && es[i + 3] == 1) types.push_back(es[i + 4] & 31);
  }
  return types;
}

class TsFilm : public ::testing::TestWithParam<NamedShape> {
 protected:
  void SetUp() override {
    test::make_film(folder_ / "film", GetParam().shape);
    if (!GetParam().sound.empty()) {
      output_of("/usr/bin/ffmpeg -v error -y -f lavfi -i sine=f=440:r=48000:d=" + GetParam().shape.seconds + " " +
                GetParam().sound + " " + quoted(folder_ / "film/audio.mp4"));
    }
    film_ = test::load_film(folder_ / "film");
    test::write_file(folder_ / "out/master.m3u8", as_bytes(multivariant_playlist({film_.presentation, Packaging::ts})));
    for (const Track& track : film_.presentation.tracks) {
      const std::filesystem::path place = folder_ / ("out/" + track.id);
      test::write_file(place / "media.m3u8", as_bytes(media_playlist(film_.presentation, track, Packaging::ts)));
      for (std::uint32_t n = 0; n < segment_count(*track.index, 3); ++n) {
        test::write_file(place / (std::to_string(n) + ".ts"), test::made_segment(film_, track, n, Packaging::ts));
      }
    }
  }

  void decodes_to_the_same_pictures() const;
  void decodes_to_the_same_samples() const;
  void has_the_same_times() const;
  void is_read_without_complaint() const;
  void is_well_formed() const;
  void sizes_are_known_from_the_index() const;
  void key_frames_stand_alone() const;

  std::string master() const { return quoted(folder_ / "out/master.m3u8"); }
  std::string mezzanine(const std::string& name) const { return quoted(folder_ / ("film/" + name + ".mp4")); }

  test::TempDir folder_;
  Film film_;
};

void TsFilm::decodes_to_the_same_pictures() const {
  const std::string stored = decoded(mezzanine("video"), "v");
  EXPECT_EQ(static_cast<std::size_t>(std::count(stored.begin(), stored.end(), '\n')),
            film_.video().index->samples.size());
  EXPECT_EQ(decoded(master(), "v"), stored);
}

// The priming before presentation time 0 is sent and has times before it; MP4 has an edit list that skips it.
void TsFilm::decodes_to_the_same_samples() const {
  const auto pcm = [](const std::string& input) {
    return output_of("/usr/bin/ffmpeg -v warning -i " + input + " -map 0:a -f s16le - 2>&1");
  };
  const std::string sent = pcm(master());
  const std::string stored = pcm(mezzanine("audio"));
  const std::size_t sample_bytes = film_.audio().index->channels * sizeof(std::int16_t);
  const std::size_t priming = static_cast<std::size_t>(film_.audio().index->edit_start) * sample_bytes;
  ASSERT_GE(sent.size(), priming + stored.size());
  EXPECT_LT(sent.size(), priming + stored.size() + 1536 * sample_bytes);
  EXPECT_TRUE(sent.compare(priming, stored.size(), stored) == 0);
}

void TsFilm::has_the_same_times() const {
  for (const char* stream : {"v", "a"}) {
    const auto sent = packet_times(master(), stream);
    const auto stored = packet_times(mezzanine(*stream == 'v' ? "video" : "audio"), stream);
    ASSERT_EQ(sent.size(), stored.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
      // ffprobe prints microseconds, the clock has 11.1 of them a tick, and frames within a PES packet have no time of
      // their own: it is counted on by ffmpeg in whole ticks.
      ASSERT_NEAR(sent[i] - 10, stored[i], *stream == 'v' ? 7e-6 : 20.8e-6) << stream << " " << i;
    }
  }
}

void TsFilm::is_read_without_complaint() const {
  EXPECT_EQ(output_of("/usr/bin/ffmpeg -v warning -i " + master() + " -map 0 -f null - 2>&1"), "");
  EXPECT_EQ(output_of("/usr/bin/ffmpeg -v warning -i " + master() + " -map 0 -c copy -f null - 2>&1"), "");
}

void TsFilm::is_well_formed() const {
  for (const Track& track : film_.presentation.tracks) {
    test::TsReader reader;
    for (std::uint32_t n = 0; n < segment_count(*track.index, 3); ++n) {
      const std::size_t before = reader.pes.size();
      reader.read(test::made_segment(film_, track, n, Packaging::ts));
      const std::uint64_t start =
          ts_clock(ts_ticks(static_cast<std::int64_t>(mp4::unit_start(*track.index, n * 3)), track.index->timescale));
      if (n == 0) continue;
      EXPECT_EQ(reader.pes.at(before).presentation, start) << track.id << " " << n;
    }
    EXPECT_THAT(reader.complaints, IsEmpty()) << track.id;
    if (track.index->kind != mp4::TrackKind::video) continue;
    ASSERT_EQ(reader.pes.size(), track.index->samples.size());
    for (const test::ReadPes& one : reader.pes) {
      const std::vector<int> types = nal_types(one.es);
      EXPECT_EQ(std::count(types.begin(), types.end(), 9), 1);
      EXPECT_EQ(types.front(), 9);
      const auto idr = std::find(types.begin(), types.end(), 5);
      EXPECT_EQ(idr != types.end(), one.random_access);
      if (idr == types.end()) continue;
      EXPECT_THAT(std::vector<int>(types.begin(), idr), ::testing::IsSupersetOf({7, 8}));
    }
  }
}

void TsFilm::sizes_are_known_from_the_index() const {
  for (const Track& track : film_.presentation.tracks) {
    for (std::uint32_t n = 0; n < segment_count(*track.index, 3); ++n) {
      const Bytes segment = test::made_segment(film_, track, n, Packaging::ts);
      EXPECT_EQ(ts_segment_bytes(*track.index, segment_units(*track.index, 3, n)), segment.size()) << track.id << n;
    }
  }
}

// Each range of a key frame, alone, is that picture and nothing else, and decodes without a word.
void TsFilm::key_frames_stand_alone() const {
  const mp4::TrackIndex& video = *film_.video().index;
  std::string expected;
  std::istringstream lines(output_of("/usr/bin/ffmpeg -v error -skip_frame nokey -i " + mezzanine("video") +
                                     " -fps_mode passthrough -f framemd5 - | grep -v '^#' | sed 's/.*, *//'"));
  std::uint32_t units = 0;
  for (std::uint32_t n = 0; n < segment_count(video, 3); ++n) {
    const Bytes segment = test::made_segment(film_, film_.video(), n, Packaging::ts);
    for (const TsKeyFrame& frame : ts_key_frames(video, segment_units(video, 3, n))) {
      EXPECT_EQ(frame.unit, units++);
      ASSERT_TRUE(std::getline(lines, expected));
      if (frame.unit > 1 && frame.unit + 1 < video.units.size()) continue;  // running ffmpeg takes time
      test::write_file(folder_ / "frame.ts", ByteView(segment).subspan(frame.offset, frame.bytes));
      EXPECT_EQ(decoded(quoted(folder_ / "frame.ts"), "v"), expected + "\n") << "unit " << frame.unit;
    }
  }
  EXPECT_EQ(units, video.units.size());
}

TEST_P(TsFilm, PlaysAsItWasMade) {
  is_well_formed();
  sizes_are_known_from_the_index();
  decodes_to_the_same_pictures();
  decodes_to_the_same_samples();
  has_the_same_times();
  is_read_without_complaint();
  key_frames_stand_alone();
}

FilmShape shape_of(const std::string& rate, int gop, const std::string& seconds = "13") {
  FilmShape shape;
  shape.rate = rate;
  shape.gop = gop;
  shape.seconds = seconds;
  return shape;
}

FilmShape with_audio(FilmShape shape, const std::string& seconds, int rate = 48000) {
  shape.audio_seconds = seconds;
  shape.audio_rate = rate;
  return shape;
}

FilmShape with_video(FilmShape shape, const std::string& options, const std::string& size = "160x90") {
  shape.video_options = options;
  shape.size = size;
  return shape;
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, TsFilm,
    ::testing::Values(NamedShape{"at_24", shape_of("24", 48)},
                      NamedShape{"at_23_976_cd_rate", with_audio(shape_of("24000/1001", 48), "13", 44100)},
                      NamedShape{"no_b_frames", with_video(shape_of("25", 50, "7"), "-bf 0")},
                      NamedShape{"large_pictures", with_video(shape_of("24", 48, "5"), "-bf 2 -qp 4", "1920x1080")},
                      NamedShape{"slices", with_video(shape_of("30", 60, "5"), "-bf 3 -slices 4", "640x360")},
                      NamedShape{"delimiters", with_video(shape_of("24", 48, "5"), "-bf 3 -x264-params aud=1")},
                      NamedShape{"five_pictures_a_second", with_video(shape_of("5", 10, "9"), "-bf 2")},
                      NamedShape{"sound_of_8_khz", with_audio(shape_of("24", 48, "5"), "5", 8000)},
                      NamedShape{"variable_rate",
                                 with_video(shape_of("30", 60), "-bf 3 -vf select='gt(mod(n\\,7)\\,2)' -fps_mode vfr")},
                      NamedShape{"ac3", shape_of("24", 48), "-c:a ac3 -ac 6 -b:a 384k"},
                      NamedShape{"eac3", shape_of("24", 48), "-c:a eac3 -ac 6 -b:a 256k"},
                      NamedShape{"one_second", shape_of("24", 48, "1")},
                      NamedShape{"tail_of_a_frame", shape_of("25", 50, "12.04")}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace reelway::origin::hls
