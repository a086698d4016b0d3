#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "origin/hls/timeline.h"
#include "tests/support/film.h"

// Films that ffmpeg makes here, packaged, written out as static files and read back by ffmpeg and ffprobe as a player
// would. What they decode must be what they decode from the track files themselves.

namespace reelway::origin::hls {
namespace {

using test::Film;
using test::FilmShape;
using test::output_of;

struct NamedShape {
  const char* name;
  FilmShape shape;
  std::size_t video_segments;
  std::size_t audio_segments;
};

// Each value is the field after a tag's name.
std::vector<std::string> tag_values(const std::string& playlist, const std::string& tag) {
  std::vector<std::string> values;
  std::istringstream lines(playlist);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(tag)) values.push_back(line.substr(tag.size()));
  }
  return values;
}

std::string quoted(const std::filesystem::path& path) {
  return "'" + path.string() + "'";
}

class MadeFilm : public ::testing::TestWithParam<NamedShape> {
 protected:
  void SetUp() override {
    test::make_film(folder_ / "film", GetParam().shape);
    film_ = test::load_film(folder_ / "film");
    test::write_presentation(film_, folder_ / "out");
  }

  void decodes_to_the_same_pictures_and_samples() const;
  void has_the_same_packets_at_the_same_times() const;
  void is_read_without_complaint() const;
  void durations_add_up_to_the_track() const;
  void both_tracks_are_cut_alike() const;
  void each_segment_starts_where_its_playlist_says() const;
  void declares_rates_that_it_keeps() const;

  std::string master() const { return quoted(folder_ / "out/master.m3u8"); }
  std::string mezzanine(const std::string& name) const { return quoted(folder_ / ("film/" + name + ".mp4")); }
  static std::string decoded_sum(const std::string& input, const std::string& stream) {
    return output_of("/usr/bin/ffmpeg -v error -i " + input + " -map 0:" + stream +
                     " -fps_mode passthrough -f md5 - 2>&1");
  }
  static std::string packets(const std::string& input, const std::string& stream) {
    return output_of("/usr/bin/ffprobe -v error -select_streams " + stream +
                     " -show_entries packet=pts,dts,size -of csv=p=0 " + input + " 2>&1 | grep . | sed 's/,$//'");
  }

  test::TempDir folder_;
  Film film_;
};

void MadeFilm::decodes_to_the_same_pictures_and_samples() const {
  EXPECT_EQ(decoded_sum(master(), "v"), decoded_sum(mezzanine("video"), "v"));
  EXPECT_EQ(decoded_sum(master(), "a"), decoded_sum(mezzanine("audio"), "a"));
}

void MadeFilm::has_the_same_packets_at_the_same_times() const {
  const std::string video = packets(master(), "v");
  EXPECT_EQ(video, packets(mezzanine("video"), "v"));
  EXPECT_TRUE(video.starts_with("0,")) << video.substr(0, 40);
  const std::string audio = packets(master(), "a");
  EXPECT_EQ(audio, packets(mezzanine("audio"), "a"));
  EXPECT_TRUE(audio.starts_with("-1024,-1024,")) << audio.substr(0, 40);
}

void MadeFilm::is_read_without_complaint() const {
  EXPECT_EQ(output_of("/usr/bin/ffmpeg -v warning -i " + master() + " -map 0 -c copy -f null - 2>&1"), "");
}

void MadeFilm::durations_add_up_to_the_track() const {
  for (const Track& track : film_.presentation.tracks) {
    const std::string playlist = media_playlist(film_.presentation, track);
    std::uint64_t sum = 0;
    const std::uint64_t target = std::stoull(tag_values(playlist, "#EXT-X-TARGETDURATION:").at(0));
    for (const std::string& value : tag_values(playlist, "#EXTINF:")) {
      const double seconds = std::stod(value);
      EXPECT_LE(std::lround(seconds), static_cast<long>(target));
      sum += static_cast<std::uint64_t>(std::llround(seconds * 1e6));
    }
    const double exact = static_cast<double>(track.index->edit_duration) * 1e6 / track.index->timescale;
    EXPECT_NEAR(static_cast<double>(sum), exact, 1.0) << track.id;
  }
}

void MadeFilm::both_tracks_are_cut_alike() const {
  EXPECT_EQ(segment_count(*film_.video().index, 3), GetParam().video_segments);
  EXPECT_EQ(segment_count(*film_.audio().index, 3), GetParam().audio_segments);
  const mp4::TrackIndex& video = *film_.video().index;
  const mp4::TrackIndex& audio = *film_.audio().index;
  for (std::size_t i = 0; i < std::min(video.units.size(), audio.units.size()); ++i) {
    const double video_start = static_cast<double>(mp4::unit_start(video, i)) / video.timescale;
    const double audio_start = static_cast<double>(mp4::unit_start(audio, i)) / audio.timescale;
    EXPECT_GE(audio_start, video_start - 1e-9) << i;
    EXPECT_LT(audio_start, video_start + 1024.0 / audio.timescale) << i;
  }
}

void MadeFilm::each_segment_starts_where_its_playlist_says() const {
  for (const Track& track : film_.presentation.tracks) {
    const std::uint32_t count = segment_count(*track.index, 3);
    for (std::uint32_t n = 1; n < count; ++n) {
      const std::filesystem::path place = folder_ / ("out/" + track.id);
      const std::string first =
          output_of("cat " + quoted(place / "init.mp4") + " " + quoted(place / (std::to_string(n) + ".m4s")) +
                    " | /usr/bin/ffprobe -v error -show_entries packet=pts,flags -of csv=p=0 - 2>&1 | head -1");
      const std::uint64_t start = mp4::unit_start(*track.index, std::size_t{n} * 3);
      EXPECT_EQ(first.substr(0, first.find('_')), std::to_string(start) + ",K") << track.id << " " << n;
    }
  }
}

void MadeFilm::declares_rates_that_it_keeps() const {
  const std::string info = tag_values(multivariant_playlist({film_.presentation}), "#EXT-X-STREAM-INF:").at(0);
  const auto number = [&info](const std::string& name) {
    return std::stod(info.substr(info.find(name) + name.size()));
  };
  double bits = 0;
  double average = 0;
  for (const Track& track : film_.presentation.tracks) {
    double track_bits = 0;
    for (std::uint32_t n = 0; n < segment_count(*track.index, 3); ++n) {
      track_bits += 8.0 * static_cast<double>(test::segment_of(film_, track, n).size());
    }
    average += track_bits / (static_cast<double>(track.index->edit_duration) / track.index->timescale);
    bits += track_bits;
  }
  EXPECT_NEAR(number("AVERAGE-BANDWIDTH="), average, 2.0);
  EXPECT_GE(number("BANDWIDTH="), average);
  EXPECT_LE(number("BANDWIDTH="), 2 * average);
}

// One test for each film: making the film takes longer than all that is asked of it.
TEST_P(MadeFilm, PlaysAsItWasMade) {
  decodes_to_the_same_pictures_and_samples();
  has_the_same_packets_at_the_same_times();
  is_read_without_complaint();
  durations_add_up_to_the_track();
  both_tracks_are_cut_alike();
  each_segment_starts_where_its_playlist_says();
  declares_rates_that_it_keeps();
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

FilmShape with_video(FilmShape shape, const std::string& options) {
  shape.video_options = options;
  return shape;
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, MadeFilm,
    ::testing::Values(NamedShape{"at_24", shape_of("24", 48), 3, 3}, NamedShape{"at_25", shape_of("25", 50), 3, 3},
                      NamedShape{"at_29_97", shape_of("30000/1001", 60), 3, 3},
                      NamedShape{"at_30", shape_of("30", 60, "12"), 2, 2},
                      NamedShape{"at_23_976_cd_rate", with_audio(shape_of("24000/1001", 48), "13", 44100), 3, 3},
                      NamedShape{"no_b_frames", with_video(shape_of("24", 48, "7"), "-bf 0"), 2, 2},
                      NamedShape{"audio_longer", with_audio(shape_of("24", 48, "11"), "15"), 2, 3},
                      NamedShape{"audio_shorter", with_audio(shape_of("24", 48), "5.3"), 3, 1},
                      NamedShape{"one_second", shape_of("24", 48, "1"), 1, 1},
                      NamedShape{"tail_of_a_frame", shape_of("25", 50, "12.04"), 2, 2}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace reelway::origin::hls
