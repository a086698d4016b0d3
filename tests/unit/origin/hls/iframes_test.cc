#include "origin/hls/iframes.h"

#include <gtest/gtest.h>

#include "origin/hls/timeline.h"
#include "origin/mp4/box.h"
#include "tests/support/moov.h"

namespace reelway::origin::hls {
namespace {

using test::MoovShape;

// 26 units of 2 s and one of 1 s: two files.
Track video() {
  const MoovShape shape = MoovShape::video_of(27 * 48 - 24, 48);
  auto index = mp4::index_from_moov(test::make_moov(shape), shape.file_bytes(), nullptr);
  EXPECT_TRUE(index.ok());
  return {"video/720", "", false, std::make_shared<mp4::TrackIndex>(*index)};
}

TEST(IFrames, OneForEachUnitBeginningWithItsMoof) {
  const Track track = video();
  const mp4::TrackIndex& index = *track.index;
  const std::vector<IFrame> frames = iframes(index, 3, Packaging::cmaf);
  ASSERT_EQ(frames.size(), 27u);
  ASSERT_EQ(iframe_file_count(index), 2u);
  std::size_t frame = 0;
  for (std::uint32_t file = 0; file < 2; ++file) {
    std::uint64_t offset = 0;
    for (const FilePiece& piece : iframe_file(index, file)) {
      EXPECT_EQ(frames[frame].file, "iframes-" + std::to_string(file) + ".mp4");
      EXPECT_EQ(frames[frame].offset, offset);
      EXPECT_EQ(frames[frame].bytes, piece.header.size() + piece.file_bytes);
      const auto box = mp4::next_box_header(piece.header);
      ASSERT_TRUE(box.ok());
      EXPECT_EQ(box->type, mp4::four_cc("moof"));
      // The mdat that follows holds the picture and nothing else.
      const auto mdat = mp4::next_box_header(ByteView(piece.header).subspan(box->size));
      ASSERT_TRUE(mdat.ok());
      EXPECT_EQ(mdat->size, 8 + piece.file_bytes);
      const mp4::Unit unit = index.units[frame];
      EXPECT_EQ(piece.file_offset, unit.file_offset);
      EXPECT_EQ(piece.file_bytes, mp4::samples_of(index, static_cast<std::uint32_t>(frame), 1).front().bytes);
      offset += frames[frame].bytes;
      ++frame;
    }
  }
  EXPECT_EQ(frame, 27u);
}

TEST(IFrames, ThePlaylistLastsAsLongAsTheTrack) {
  const Presentation film{{video()}, 3};
  const std::string text = iframe_playlist(film, film.tracks[0], Packaging::cmaf);
  EXPECT_TRUE(
      text.starts_with("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
                       "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP:URI=\"init.mp4\"\n"
                       "#EXTINF:2.000000,\n#EXT-X-BYTERANGE:"))
      << text.substr(0, 300);
  EXPECT_TRUE(text.ends_with("\niframes-1.mp4\n#EXT-X-ENDLIST\n"));
  EXPECT_NE(text.find("#EXTINF:1.000000,\n"), std::string::npos);
}

TEST(IFrames, RatesAreThoseOfThePicturesAlone) {
  const Track track = video();
  const std::vector<IFrame> frames = iframes(*track.index, 3, Packaging::cmaf);
  std::uint64_t bytes = 0, heaviest = 0;
  for (const IFrame& frame : frames) {
    bytes += frame.bytes;
    heaviest = std::max(heaviest, frame.bytes);
  }
  const BitRates rates = iframe_rates(*track.index, 3, Packaging::cmaf);
  EXPECT_EQ(rates.average, (bytes * 8 + 52) / 53);
  EXPECT_EQ(rates.peak, heaviest * 8);  // the last one, which stands for a second
}

TEST(IFrames, SoundHasNone) {
  const MoovShape shape = MoovShape::audio_of(500);
  const auto index = mp4::index_from_moov(test::make_moov(shape), shape.file_bytes(), nullptr);
  ASSERT_TRUE(index.ok());
  EXPECT_TRUE(iframes(*index, 3, Packaging::cmaf).empty());
}

}  // namespace
}  // namespace reelway::origin::hls
