#include <gtest/gtest.h>

#include "common/base/crc32c.h"
#include "origin/hls/bif.h"
#include "origin/hls/image_playlists.h"

namespace reelway::origin::hls {
namespace {

// 65 s in 7 pictures on two sheets of two by two, of which the second has three.
ImageIndex index_of() {
  ImageIndex index;
  index.width = 320;
  index.height = 136;
  index.interval_ms = 10'000;
  index.columns = 2;
  index.rows = 2;
  index.duration_ms = 65'065;
  index.sheets = {{5000, 1}, {3000, 2}};
  for (std::uint32_t n = 0; n < 7; ++n) index.images.push_back({100 + n, crc32c(Bytes(100 + n, 'x'))});
  return index;
}

ImageTrack track_of(ImageIndex index) {
  return {"images/320", std::make_shared<const ImageIndex>(std::move(index))};
}

// A reader of Roku's format that was written for this test alone.
struct ReadBif {
  std::uint32_t version = 0, count = 0, multiplier = 0;
  std::vector<std::pair<std::uint32_t, std::string>> images;  // time in milliseconds, bytes
};
ReadBif read_bif(const std::string& file) {
  const auto little = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (int i = 3; i >= 0; --i)
      value = value << 8 | static_cast<std::uint8_t>(file.at(at + static_cast<std::size_t>(i)));
    return value;
  };
  EXPECT_EQ(file.substr(0, 8),
            "\x89"
            "BIF\r\n\x1a\n");
  ReadBif bif{little(8), little(12), little(16), {}};
  EXPECT_EQ(file.substr(20, 44), std::string(44, '\0'));
  for (std::uint32_t n = 0; n < bif.count; ++n) {
    const std::size_t entry = 64 + 8 * std::size_t{n};
    const std::uint32_t from = little(entry + 4), to = little(entry + 12);
    bif.images.emplace_back(little(entry) * bif.multiplier, file.substr(from, to - from));
  }
  EXPECT_EQ(little(64 + 8 * std::size_t{bif.count}), 0xFFFFFFFF);
  EXPECT_EQ(little(64 + 8 * std::size_t{bif.count} + 4), file.size());
  return bif;
}

TEST(Images, BifIsReadAsRokuReadsIt) {
  const ImageIndex index = index_of();
  std::string file(as_text(bif_head(index)));
  EXPECT_EQ(file.size(), bif_head_bytes(7));
  for (const StoredImage& image : index.images) file.append(image.bytes, 'x');
  EXPECT_EQ(file.size(), bif_bytes(index));
  EXPECT_EQ(image_bif(index).crc32c, crc32c(as_bytes(file)));
  EXPECT_EQ(image_bif(index).bytes, file.size());
  const ReadBif bif = read_bif(file);
  EXPECT_EQ(bif.version, 0);
  EXPECT_EQ(bif.multiplier, 10'000);
  ASSERT_EQ(bif.images.size(), 7);
  EXPECT_EQ(bif.images[6].first, 60'000);
  EXPECT_EQ(bif.images[6].second, std::string(106, 'x'));
}

TEST(Images, Playlist) {
  EXPECT_EQ(image_playlist(track_of(index_of())),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:40\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
            "#EXT-X-IMAGES-ONLY\n"
            "#EXT-X-TILES:RESOLUTION=320x136,LAYOUT=2x2,DURATION=10.000\n#EXTINF:40.000,\n0.jpg\n"
            "#EXT-X-TILES:RESOLUTION=320x136,LAYOUT=2x2,DURATION=10.000\n#EXTINF:25.065,\n1.jpg\n#EXT-X-ENDLIST\n");
}

TEST(Images, CuesSayWhichPartOfWhichSheet) {
  const std::string cues = image_cues(track_of(index_of()));
  EXPECT_TRUE(cues.starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:10.000\n0.jpg#xywh=0,0,320,136\n")) << cues;
  EXPECT_NE(cues.find("\n00:00:10.000 --> 00:00:20.000\n0.jpg#xywh=320,0,320,136\n"), std::string::npos);
  EXPECT_NE(cues.find("\n00:00:30.000 --> 00:00:40.000\n0.jpg#xywh=320,136,320,136\n"), std::string::npos);
  EXPECT_TRUE(cues.ends_with("\n00:01:00.000 --> 00:01:05.065\n1.jpg#xywh=0,136,320,136\n")) << cues;
}

TEST(Images, MultivariantPlaylistsOfAllPackagingsNameTheSame) {
  Presentation film;
  film.images = {track_of(index_of())};
  const std::string attributes = "#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=1000,RESOLUTION=320x136,CODECS=\"jpeg\",URI=\"";
  EXPECT_EQ(image_stream_lines(film), attributes + "images/320/media.m3u8\"\n");
  EXPECT_EQ(image_stream_lines(film, Packaging::ts), attributes + "../images/320/media.m3u8\"\n");
}

TEST(Images, SheetsLieOneAfterTheOther) {
  const ImageIndex index = index_of();
  EXPECT_EQ(image_sheet(index, 0)->offset, 0);
  EXPECT_EQ(image_sheet(index, 1)->offset, 5000);
  EXPECT_EQ(image_sheet(index, 1)->bytes, 3000);
  EXPECT_EQ(image_sheet(index, 2).error().code, ErrorCode::http_not_found);
}

TEST(Images, StoredFormIsReadBackAndDamageIsFound) {
  const Bytes stored = serialize_image_index(index_of());
  const Result<ImageIndex> again = parse_image_index(stored);
  ASSERT_TRUE(again.ok()) << describe(again.error());
  EXPECT_EQ(serialize_image_index(*again), stored);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    Bytes damaged = stored;
    damaged[i] ^= 0x04;
    EXPECT_FALSE(parse_image_index(damaged).ok()) << i;
    EXPECT_FALSE(parse_image_index(ByteView(stored).first(i)).ok()) << i;
  }
}

}  // namespace
}  // namespace reelway::origin::hls
