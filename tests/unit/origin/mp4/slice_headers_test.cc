#include "origin/mp4/slice_headers.h"

#include <gtest/gtest.h>

#include <sstream>

#include "origin/mp4/nal_bits.h"
#include "tests/support/film.h"

// Where slice headers end, against FFmpeg's own reading of them (its filter trace_headers), over films that use
// different parts of the syntax.

namespace reelway::origin::mp4 {
namespace {

using test::output_of;

TEST(NalBits, PassesOverEmulationPrevention) {
  const Bytes nal = {0x00, 0x00, 0x03, 0x01, 0x80};
  NalBits in(nal);
  EXPECT_EQ(in.bits(24), 1u);
  EXPECT_EQ(in.bytes_read(), 4u);
  EXPECT_TRUE(in.flag());
  EXPECT_EQ(in.bytes_read(), 5u);
  EXPECT_EQ(in.bits(8), 0u);
  EXPECT_TRUE(in.failed());
}

TEST(NalBits, ReadsExpGolomb) {
  const Bytes nal = {0b10100110, 0b01000010, 0b10000000};  // 1, 010, 011, 00100, 00101
  NalBits in(nal);
  EXPECT_EQ(in.ue(), 0u);
  EXPECT_EQ(in.ue(), 1u);
  EXPECT_EQ(in.se(), -1);
  EXPECT_EQ(in.ue(), 3u);
  EXPECT_EQ(in.se(), -2);
}

// Bits of each slice header, without emulation prevention, as FFmpeg says.
std::vector<std::size_t> traced_bits(const std::filesystem::path& film) {
  std::istringstream lines(
      output_of("/usr/bin/ffmpeg -v info -i '" + film.string() +
                "' -c copy -bsf:v trace_headers -f null - 2>&1 | grep '^.trace_headers' | cut -d']' -f2-"));
  std::vector<std::size_t> headers;
  bool within = false;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string place, name, bits;
    words >> place >> name >> bits;
    if (place.empty() || place.find_first_not_of("0123456789") != std::string::npos) {
      within = line.find("Slice Header") != std::string::npos || line.find("Slice Segment Header") != std::string::npos;
      if (within) headers.push_back(0);
    } else if (within && bits.find_first_not_of("01") == std::string::npos) {
      headers.back() = std::stoul(place) + bits.size();
    }
  }
  return headers;
}

// The same by SliceHeaders, over every NAL unit of the film.
std::vector<std::size_t> found_bytes(const Bytes& file, const TrackIndex& index) {
  const auto headers = slice_headers_of(index.sample_entry);
  EXPECT_TRUE(headers.ok()) << describe(headers.error());
  std::vector<std::size_t> found;
  const ByteView media = ByteView(file).subspan(index.units.front().file_offset);
  ByteReader in(media);
  std::size_t left = 0;
  for (const Unit& unit : index.units) left += unit.file_bytes;
  while (in.position() < left) {
    const std::uint32_t bytes = in.u32();
    const ByteView nal = in.take(bytes);
    const auto clear =
        (*headers)->clear_bytes(nal.first(std::min(nal.size(), SliceHeaders::kHeadBytesMax)), nal.size());
    EXPECT_TRUE(clear.ok()) << describe(clear.error());
    if (!clear) break;
    if (*clear == nal.size()) continue;
    std::size_t prevented = 0;
    for (std::size_t i = 2; i < *clear; ++i) {
      if (nal[i] == 3 && nal[i - 1] == 0 && nal[i - 2] == 0) ++prevented;
    }
    found.push_back(static_cast<std::size_t>(*clear) - prevented);
  }
  return found;
}

struct Codec {
  const char* name;
  const char* options;
};

class Slices : public ::testing::TestWithParam<Codec> {};

TEST_P(Slices, EndWhereFfmpegSays) {
  test::TempDir folder;
  test::FilmShape shape;
  shape.video_options = GetParam().options;
  shape.size = "320x192";
  shape.seconds = "6";
  test::make_film(folder / "film", shape);
  const Bytes file = test::read_file(folder / "film/video.mp4");
  const auto index = test::index_file(file, nullptr);
  ASSERT_TRUE(index.ok());
  std::vector<std::size_t> expected;
  for (const std::size_t bits : traced_bits(folder / "film/video.mp4")) expected.push_back((bits + 7) / 8);
  ASSERT_GE(expected.size(), 144u);
  EXPECT_EQ(found_bytes(file, *index), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Films, Slices,
    ::testing::Values(
        Codec{"Avc", "-bf 3 -x264-params b-pyramid=normal:ref=6:weightp=2"},
        Codec{"AvcCavlc", "-x264-params cabac=0:no-deblock=1:slices=4"},
        Codec{"AvcInterlaced", "-flags +ildct+ilme -x264-params interlaced=1:bframes=3:weightp=2:ref=4"},
        Codec{"Avc444", "-pix_fmt yuv444p -x264-params bframes=2:weightb=1"},
        Codec{"Hevc", "-c:v libx265 -tag:v hvc1 -x265-params log-level=none:bframes=4:b-pyramid=1:ref=5:open-gop=0"},
        Codec{"HevcWeights",
              "-c:v libx265 -tag:v hvc1 -x265-params log-level=none:weightp=1:weightb=1:open-gop=0:"
              "scenecut=0:rc-lookahead=10"},
        Codec{"HevcSlices", "-c:v libx265 -tag:v hvc1 -x265-params log-level=none:slices=3:wpp=1:open-gop=0"},
        Codec{"HevcNoFilters",
              "-c:v libx265 -tag:v hvc1 -pix_fmt yuv420p10le -x265-params "
              "log-level=none:no-sao=1:no-deblock=1:open-gop=0"}),
    [](const auto& codec) { return std::string(codec.param.name); });

TEST(SliceHeaders, AreNotOfAv1) {
  Bytes entry(8 + 78 + 8, 0);
  ByteWriter size;
  size.u32(static_cast<std::uint32_t>(entry.size()));
  std::copy(size.bytes().begin(), size.bytes().end(), entry.begin());
  const std::string_view name = "av01", child = "av1C";
  std::copy(name.begin(), name.end(), entry.begin() + 4);
  entry[8 + 78 + 3] = 8;
  std::copy(child.begin(), child.end(), entry.begin() + 8 + 78 + 4);
  const auto headers = slice_headers_of(entry);
  ASSERT_FALSE(headers.ok());
  EXPECT_EQ(headers.error().code, ErrorCode::media_unsupported);
}

}  // namespace
}  // namespace reelway::origin::mp4
