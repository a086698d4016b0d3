#include <gtest/gtest.h>

#include <cstdio>

#include "origin/hls/dash_manifest.h"
#include "origin/hls/iframes.h"
#include "origin/hls/multivariant_playlist.h"
#include "origin/hls/presentation.h"
#include "origin/hls/ts_segment.h"
#include "tests/support/ts_segments.h"

// Byte for byte: what is packaged from the indexes in tests/golden/hls (14 s of ffmpeg's test picture at 23.976 frames
// a second in two sizes, and two languages) is what lies beside them. After a change that is meant, run this test with
// REELWAY_UPDATE_GOLDEN=1 and read the difference before it is committed: a changed byte changes every ETag.

namespace reelway::origin::hls {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(REELWAY_SOURCE_DIR) / "tests/golden/hls";

Track track_of(const std::string& id, const std::string& name, bool is_default, const std::string& file) {
  auto index = mp4::parse_index(test::read_file(kFolder / file));
  EXPECT_TRUE(index.ok()) << describe(index.error());
  return {id, name, is_default, std::make_shared<mp4::TrackIndex>(*index)};
}

Presentation presentation() {
  return {{track_of("video/180", "", false, "video-180.idx"), track_of("video/90", "", false, "video-90.idx"),
           track_of("audio/fr-aac",
                    "Fran\xc3\xa7"
                    "ais",
                    false, "audio-fr-aac.idx"),
           track_of("audio/en-aac", "English", true, "audio-en-aac.idx")},
          3};
}

void expect_golden(const std::string& name, ByteView bytes) {
  const std::filesystem::path path = kFolder / "expected" / name;
  if (std::getenv("REELWAY_UPDATE_GOLDEN") != nullptr) {
    test::write_file(path, bytes);
    return;
  }
  const Bytes expected = std::filesystem::exists(path) ? test::read_file(path) : Bytes{};
  const std::size_t shorter = std::min(bytes.size(), expected.size());
  std::size_t same = 0;
  while (same < shorter && bytes[same] == expected[same]) ++same;
  EXPECT_TRUE(bytes.size() == expected.size() && same == bytes.size())
      << path << " differs from byte " << same << " (" << expected.size() << " bytes expected, " << bytes.size()
      << " made). If it is meant: REELWAY_UPDATE_GOLDEN=1 " REELWAY_BIN_DIR
         "/test_origin_hls --gtest_filter='Golden.*'";
}

TEST(Golden, Playlists) {
  const Presentation film = presentation();
  expect_golden("master.m3u8", as_bytes(multivariant_playlist({film})));
  expect_golden("manifest.mpd", as_bytes(dash_manifest({.presentation = film, .title = "Golden & <film>"})));
  for (const Track& track : film.tracks) {
    if (track.index->kind != mp4::TrackKind::video) continue;
    expect_golden(track.id + "/iframes.m3u8", as_bytes(iframe_playlist(film, track, Packaging::cmaf)));
  }
  for (const Track& track : film.tracks) expect_golden(track.id + "/media.m3u8", as_bytes(media_playlist(film, track)));
}

TEST(Golden, InitSegments) {
  for (const Track& track : presentation().tracks) expect_golden(track.id + "/init.mp4", init_segment(track));
}

TEST(Golden, SegmentHeaders) {
  const Presentation film = presentation();
  for (const Track& track : film.tracks) {
    const std::uint32_t last = segment_count(*track.index, film.units_per_segment) - 1;
    for (const std::uint32_t n : {0u, last}) {
      const auto plan = plan_segment(*track.index, film.units_per_segment, n);
      ASSERT_TRUE(plan.ok());
      expect_golden(track.id + "/" + std::to_string(n) + ".m4s.head", plan->header);
    }
  }
}

// Number, header bytes, place and length in the track file, and the sum over all.
TEST(Golden, SegmentPlans) {
  const Presentation film = presentation();
  std::string text;
  for (const Track& track : film.tracks) {
    for (std::uint32_t n = 0; n < segment_count(*track.index, film.units_per_segment); ++n) {
      const auto plan = plan_segment(*track.index, film.units_per_segment, n);
      ASSERT_TRUE(plan.ok());
      char line[160];
      std::snprintf(line, sizeof line, "%s/%u.m4s header %zu range %llu+%llu crc32c %08x\n", track.id.c_str(), n,
                    plan->header.size(), static_cast<unsigned long long>(plan->file_offset),
                    static_cast<unsigned long long>(plan->file_bytes), plan->crc32c);
      text += line;
    }
  }
  expect_golden("segments.txt", as_bytes(text));
}

// Track files as these indexes describe them: each sample is one NAL unit, or a frame, of made-up bytes.
Bytes media_of(const mp4::TrackIndex& index) {
  Bytes file(index.file_bytes);
  std::size_t at = index.units.front().file_offset;
  for (const mp4::Sample& sample : index.samples.all()) {
    for (std::size_t i = 0; i < sample.bytes; ++i)
      file[at + i] = static_cast<std::uint8_t>((at + i) * 2654435761u >> 11);
    if (index.kind == mp4::TrackKind::video) {
      for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<std::uint8_t>((sample.bytes - 4) >> (24 - 8 * i));
      file[at + 4] = sample.sync ? 0x65 : 0x41;
    }
    at += sample.bytes;
  }
  return file;
}

// Number, bytes and sum; of pictures in the clear also where their key frames are.
TEST(Golden, TransportStreams) {
  const ContentKey key;
  const Presentation film = presentation();
  std::string text;
  char line[160];
  for (const Track& track : film.tracks) {
    const Bytes file = media_of(*track.index);
    for (const Packaging packaging : {Packaging::ts, Packaging::ts_sample_aes}) {
      for (std::uint32_t n = 0; n < segment_count(*track.index, film.units_per_segment); ++n) {
        auto maker = make_segment_maker({.index = *track.index, .segment = n, .packaging = packaging, .key = &key});
        ASSERT_TRUE(maker.ok());
        const auto made = test::drive(**maker, file);
        ASSERT_TRUE(made.ok());
        std::snprintf(line, sizeof line, "%s/%s/%u.ts bytes %zu crc32c %08x", traits(packaging).folder.data(),
                      track.id.c_str(), n, made->size(), crc32c(*made));
        text += line;
        const bool clear_picture = packaging == Packaging::ts && track.index->kind == mp4::TrackKind::video;
        for (const TsKeyFrame& frame : clear_picture ? ts_key_frames(*track.index, segment_units(*track.index, 3, n))
                                                     : std::vector<TsKeyFrame>{}) {
          std::snprintf(line, sizeof line, " %llu@%llu", static_cast<unsigned long long>(frame.bytes),
                        static_cast<unsigned long long>(frame.offset));
          text += line;
        }
        text += "\n";
      }
    }
  }
  expect_golden("transport_streams.txt", as_bytes(text));
}

}  // namespace
}  // namespace reelway::origin::hls
