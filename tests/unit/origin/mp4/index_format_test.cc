#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/crc32c.h"
#include "origin/mp4/track_index.h"
#include "tests/support/moov.h"

namespace reelway::origin::mp4 {
namespace {

using ::testing::HasSubstr;

TrackIndex sample_index() {
  test::MoovShape shape = test::MoovShape::video_of(100, 48);
  shape.offsets = {{100, 2}};
  shape.edits = {{4167, 2}};
  TrackIndex index = *index_from_moov(test::make_moov(shape), shape.file_bytes(), nullptr);
  for (std::size_t i = 0; i < index.units.size(); ++i) set_unit_crc(index, i, 0x1000u + static_cast<std::uint32_t>(i));
  return index;
}

// Replaces the sum at the end, so that what is wrong is the content.
Bytes resealed(Bytes bytes) {
  const std::uint32_t sum = crc32c(ByteView(bytes).first(bytes.size() - 4));
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[bytes.size() - 4 + i] = static_cast<std::uint8_t>(sum >> (24 - 8 * i));
  }
  return bytes;
}

// An index whose tables may be wrong, which none in memory can be.
struct PlainIndex {
  TrackIndex head;
  std::vector<Sample> samples;
  std::vector<Unit> units;
};

PlainIndex plain_index() {
  PlainIndex plain{sample_index(), {}, {}};
  plain.samples = plain.head.samples.all();
  for (const Unit unit : plain.head.units) plain.units.push_back(unit);
  return plain;
}

// As format 1 has it.
Bytes plain_bytes(const PlainIndex& plain) {
  const Bytes packed = serialize_index(plain.head);
  const std::size_t tables = 8 + 8 * plain.head.units.size() + plain.head.samples.packed().size() + 4;
  ByteWriter out;
  out.append(ByteView(packed).first(packed.size() - tables));
  out.u32(static_cast<std::uint32_t>(plain.units.size()));
  out.u32(static_cast<std::uint32_t>(plain.samples.size()));
  for (const Unit& unit : plain.units) {
    out.u32(unit.sample_count);
    out.u32(unit.crc32c);
  }
  for (const Sample& sample : plain.samples) {
    out.u32(sample.bytes | (sample.sync ? 1u << 31 : 0));
    out.u32(sample.duration);
    out.i32(sample.composition_offset);
  }
  out.u32(0);
  Bytes bytes = out.take();
  bytes[5] = 1;
  return resealed(std::move(bytes));
}

TEST(IndexFormat, TheFirstFormatIsReadToo) {
  const PlainIndex plain = plain_index();
  const auto index = parse_index(plain_bytes(plain));
  ASSERT_TRUE(index.ok()) << describe(index.error());
  EXPECT_EQ(index->samples.all(), plain.samples);
  EXPECT_EQ(serialize_index(*index), serialize_index(plain.head));
}

TEST(IndexFormat, ComesBackAsItWent) {
  const TrackIndex index = sample_index();
  const Bytes bytes = serialize_index(index);
  const auto back = parse_index(bytes);
  ASSERT_TRUE(back.ok()) << describe(back.error());
  EXPECT_EQ(serialize_index(*back), bytes);
  EXPECT_EQ(back->codecs, index.codecs);
  EXPECT_EQ(back->language, index.language);
  EXPECT_EQ(back->edit_start, index.edit_start);
  EXPECT_EQ(back->edit_duration, index.edit_duration);
  EXPECT_EQ(back->media_duration, index.media_duration);
  EXPECT_EQ(back->file_bytes, index.file_bytes);
  EXPECT_EQ(back->sample_entry, index.sample_entry);
  ASSERT_EQ(back->units.size(), index.units.size());
  for (std::size_t i = 0; i < index.units.size(); ++i) {
    EXPECT_EQ(back->units[i].decode_time, index.units[i].decode_time);
    EXPECT_EQ(back->units[i].file_offset, index.units[i].file_offset);
    EXPECT_EQ(back->units[i].file_bytes, index.units[i].file_bytes);
    EXPECT_EQ(back->units[i].crc32c, index.units[i].crc32c);
  }
  EXPECT_EQ(back->samples.all(), index.samples.all());
}

TEST(IndexFormat, EveryFlippedBitIsFound) {
  const Bytes good = serialize_index(sample_index());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    const auto parsed = parse_index(bad);
    ASSERT_FALSE(parsed.ok()) << bit;
    ASSERT_EQ(parsed.error().code, ErrorCode::index_malformed);
  }
}

TEST(IndexFormat, EveryCutIsFound) {
  const Bytes good = serialize_index(sample_index());
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_FALSE(parse_index(ByteView(good).first(size)).ok()) << size;
    if (size < 12) continue;
    const Bytes sealed = resealed(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    ASSERT_FALSE(parse_index(sealed).ok()) << size;
  }
}

TEST(IndexFormat, AnotherFormatIsNamed) {
  Bytes bytes = serialize_index(sample_index());
  bytes[5] = 3;
  EXPECT_THAT(parse_index(bytes).error().detail, HasSubstr("format 3"));
  EXPECT_THAT(parse_index(as_bytes("#EXTM3U\n#EXT-X-VERSION:7\n")).error().detail, HasSubstr("RWTI"));
}

struct WrongIndex {
  const char* name;
  void (*breaks)(PlainIndex&);
  const char* detail;
};

class WrongContent : public ::testing::TestWithParam<WrongIndex> {};

TEST_P(WrongContent, IsRefusedUnderAGoodSum) {
  PlainIndex plain = plain_index();
  GetParam().breaks(plain);
  const auto parsed = parse_index(plain_bytes(plain));
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, ErrorCode::index_malformed);
  EXPECT_THAT(parsed.error().detail, HasSubstr(GetParam().detail));
}

using T = PlainIndex;
constexpr WrongIndex kWrong[] = {
    {"timescale", [](T& i) { i.head.timescale = 0; }, "timescale"},
    {"edit_duration", [](T& i) { i.head.edit_duration = 0; }, "edit's duration"},
    {"edit_long", [](T& i) { i.head.edit_duration = UINT64_MAX; }, "edit's duration"},
    {"edit_start_low", [](T& i) { i.head.edit_start = INT64_MIN; }, "edit's start"},
    {"edit_start_high", [](T& i) { i.head.edit_start = INT64_MAX; }, "edit's start"},
    {"edit_after_units", [](T& i) { i.head.edit_start = 60; }, "unit 1"},
    {"edit_short", [](T& i) { i.head.edit_duration = 40; }, "does not begin after"},
    {"file_short", [](T& i) { i.head.file_bytes -= 4097; }, "end after the file"},
    {"codec_quote", [](T& i) { i.head.codecs = "avc1\"\n"; }, "codec"},
    {"codec_empty", [](T& i) { i.head.codecs.clear(); }, "codec"},
    {"language", [](T& i) { i.head.language = "en\r\n"; }, "language"},
    {"entry", [](T& i) { i.head.sample_entry.pop_back(); }, "sample entry"},
    {"offset", [](T& i) { i.samples[7].composition_offset = -1; }, "sample 8"},
    {"duration", [](T& i) { i.samples[7].duration = 0x80000000; }, "sample 8"},
    {"no_time",
     [](T& i) {
       for (Sample& s : i.samples) s.duration = 0;
     },
     "duration"},
    {"first_sync", [](T& i) { i.samples[0].sync = false; }, "sync"},
    {"unit_sync", [](T& i) { i.samples[48].sync = false; }, "sync"},
    {"unit_empty", [](T& i) { i.units[0].sample_count = 0; }, "tile"},
    {"unit_over", [](T& i) { i.units.back().sample_count += 1; }, "tile"},
    {"unit_under", [](T& i) { i.units.back().sample_count -= 1; }, "tile"},
    {"no_units", [](T& i) { i.units.clear(); }, "tile"},
    {"no_samples", [](T& i) { i.samples.clear(); }, "number of samples"},
};
INSTANTIATE_TEST_SUITE_P(Each, WrongContent, ::testing::ValuesIn(kWrong),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace reelway::origin::mp4
