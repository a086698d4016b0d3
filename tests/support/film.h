#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>

#include "common/base/crc32c.h"
#include "origin/hls/multivariant_playlist.h"
#include "origin/hls/presentation.h"
#include "origin/mp4/track_index.h"

// Real films for tests: made by ffmpeg when the test runs, indexed from their bytes, and written out as the static
// files that a player would fetch.

namespace reelway::test {

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "reelway-film-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Standard output of a command. A failure of the command fails the test.
inline std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) std::abort();
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), count);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return text;
}

inline Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_file(const std::filesystem::path& path, ByteView bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

struct FilmShape {
  std::string rate = "24";  // frames per second, as ffmpeg takes it
  int gop = 48;             // frames
  std::string seconds = "13";
  std::string audio_seconds = {};  // the video's, if empty
  int audio_rate = 48000;
  std::string size = "160x90";
  std::string video_options = "-bf 3";
  std::string audio_filter = {};
};

// One track per file: video.mp4 and audio.mp4 in `folder`.
inline void make_film(const std::filesystem::path& folder, const FilmShape& shape) {
  std::filesystem::create_directories(folder);
  const std::string audio_seconds = shape.audio_seconds.empty() ? shape.seconds : shape.audio_seconds;
  const std::string gop = std::to_string(shape.gop);
  output_of("/usr/bin/ffmpeg -v error -y -f lavfi -i testsrc2=s=" + shape.size + ":r=" + shape.rate +
            ":d=" + shape.seconds + " -f lavfi -i sine=f=440:r=" + std::to_string(shape.audio_rate) +
            ":d=" + audio_seconds + " -map 0:v -c:v libx264 -preset ultrafast -pix_fmt yuv420p " + shape.video_options +
            " -g " + gop + " -keyint_min " + gop + " -sc_threshold 0 -flags +cgop '" + (folder / "video.mp4").string() +
            "' -map 1:a " + shape.audio_filter + " -c:a aac -ac 2 '" + (folder / "audio.mp4").string() + "'");
}

// The index of a track file, with the sums of its units, as ingest makes it.
inline Result<origin::mp4::TrackIndex> index_file(const Bytes& file, const origin::mp4::Cuts* cuts) {
  const auto read = [&file](std::uint64_t offset, std::size_t count) -> Result<Bytes> {
    const auto at = file.begin() + static_cast<std::ptrdiff_t>(offset);
    return Bytes(at, at + static_cast<std::ptrdiff_t>(count));
  };
  const auto moov = origin::mp4::find_moov(file.size(), read);
  if (!moov) return moov.error();
  const ByteView view(file);
  auto index = origin::mp4::index_from_moov(view.subspan(moov->offset, moov->bytes), file.size(), cuts);
  if (!index) return index;
  for (std::size_t i = 0; i < index->units.size(); ++i) {
    const origin::mp4::Unit& unit = index->units[i];
    origin::mp4::set_unit_crc(*index, i, crc32c(view.subspan(unit.file_offset, unit.file_bytes)));
  }
  return index;
}

// A film of one video and one audio track, in memory.
struct Film {
  Bytes video_file, audio_file;
  origin::hls::Presentation presentation;

  const origin::hls::Track& video() const { return presentation.tracks[0]; }
  const origin::hls::Track& audio() const { return presentation.tracks[1]; }
  const Bytes& file_of(const origin::hls::Track& track) const {
    return track.index->kind == origin::mp4::TrackKind::video ? video_file : audio_file;
  }
};

inline Film load_film(const std::filesystem::path& folder, std::uint32_t units_per_segment = 3) {
  Film film;
  film.video_file = read_file(folder / "video.mp4");
  film.audio_file = read_file(folder / "audio.mp4");
  auto video = index_file(film.video_file, nullptr);
  if (!video) throw std::runtime_error(describe(video.error()));
  const origin::mp4::Cuts cuts = origin::mp4::cuts_of(*video);
  auto audio = index_file(film.audio_file, &cuts);
  if (!audio) throw std::runtime_error(describe(audio.error()));
  film.presentation.units_per_segment = units_per_segment;
  film.presentation.tracks = {
      {"video/" + std::to_string(video->height), "", false, std::make_shared<origin::mp4::TrackIndex>(*video)},
      {"audio/en-aac", "English", true, std::make_shared<origin::mp4::TrackIndex>(*audio)}};
  return film;
}

inline Bytes segment_of(const Film& film, const origin::hls::Track& track, std::uint32_t segment) {
  auto plan = origin::hls::plan_segment(*track.index, film.presentation.units_per_segment, segment);
  Bytes bytes = plan->header;
  const ByteView media = ByteView(film.file_of(track)).subspan(plan->file_offset, plan->file_bytes);
  bytes.insert(bytes.end(), media.begin(), media.end());
  return bytes;
}

// Every resource of the film as a file below `folder`.
inline void write_presentation(const Film& film, const std::filesystem::path& folder) {
  write_file(folder / "master.m3u8", as_bytes(origin::hls::multivariant_playlist({film.presentation})));
  for (const origin::hls::Track& track : film.presentation.tracks) {
    const std::filesystem::path place = folder / track.id;
    write_file(place / "media.m3u8", as_bytes(origin::hls::media_playlist(film.presentation, track)));
    write_file(place / "init.mp4", origin::hls::init_segment(track));
    const std::uint32_t count = origin::hls::segment_count(*track.index, film.presentation.units_per_segment);
    for (std::uint32_t n = 0; n < count; ++n) {
      write_file(place / (std::to_string(n) + ".m4s"), segment_of(film, track, n));
    }
  }
}

}  // namespace reelway::test
