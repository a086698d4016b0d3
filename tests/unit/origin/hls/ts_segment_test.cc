#include "origin/hls/ts_segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "origin/hls/ts_clock.h"
#include "tests/support/moov.h"
#include "tests/support/ts_segments.h"

// Segments of made-up tracks whose samples have every awkward size, taken apart packet by packet.

namespace reelway::origin::hls {
namespace {

using test::MoovShape;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Bytes kSets = {0, 0, 0, 1, 0x67, 0x64, 0, 0x1f, 0xac, 0, 0, 0, 1, 0x68, 0xee, 0x3c};
const Bytes kDelimiter = {0, 0, 0, 1, 0x09, 0xf0};

Bytes avc_entry_with_sets(std::uint8_t length_bytes = 4) {
  Bytes entry = test::avc_entry();
  entry.resize(entry.size() - 7 - 8);  // avcC
  const Bytes avcc = {
      0,    0, 0, 27,   'a',  'v', 'c',  'C',  1, 0x64, 0, 0x1f, static_cast<std::uint8_t>(0xfb + length_bytes),
      0xe1, 0, 5, 0x67, 0x64, 0,   0x1f, 0xac, 1, 0,    3, 0x68, 0xee,
      0x3c};
  entry.insert(entry.end(), avcc.begin(), avcc.end());
  entry[3] = static_cast<std::uint8_t>(entry.size());
  return entry;
}

struct Made {
  mp4::TrackIndex index;
  Bytes file;
};

mp4::TrackIndex index_of(const MoovShape& shape) {
  auto index = mp4::index_from_moov(test::make_moov(shape), shape.file_bytes(), nullptr);
  EXPECT_TRUE(index.ok()) << describe(index.error());
  return *index;
}

// Each picture is NAL units of at most `unit_bytes` (with their lengths), of type 5 or 1, which hold neither zeros nor
// anything else that could be taken for a start code.
Made made_video(MoovShape shape, std::size_t unit_bytes = 1 << 30) {
  shape.sample_entry = avc_entry_with_sets();
  Made made{index_of(shape), Bytes(shape.file_bytes(), 0xee)};
  std::size_t at = made.index.units.front().file_offset;
  for (const mp4::Sample& sample : made.index.samples.all()) {
    for (std::size_t left = sample.bytes; left > 0;) {
      std::size_t bytes = std::min(left, unit_bytes);
      if (left - bytes < 5) bytes = left;
      for (int i = 0; i < 4; ++i) made.file[at + i] = static_cast<std::uint8_t>((bytes - 4) >> (24 - 8 * i));
      for (std::size_t i = 4; i < bytes; ++i) made.file[at + i] = static_cast<std::uint8_t>(1 + (at + i) % 251);
      made.file[at + 4] = sample.sync ? 0x65 : 0x41;
      at += bytes;
      left -= bytes;
    }
  }
  return made;
}

Made made_audio(const MoovShape& shape) {
  Made made{index_of(shape), Bytes(shape.file_bytes())};
  for (std::size_t i = 0; i < made.file.size(); ++i) made.file[i] = static_cast<std::uint8_t>(i * 7);
  return made;
}

Bytes segment_of(const Made& made, std::uint32_t segment, std::uint32_t units_per_segment = 3) {
  auto maker = make_segment_maker(
      {.index = made.index, .units_per_segment = units_per_segment, .segment = segment, .packaging = Packaging::ts});
  EXPECT_TRUE(maker.ok());
  auto bytes = test::drive(**maker, made.file);
  EXPECT_TRUE(bytes.ok()) << describe(bytes.error());
  EXPECT_EQ(ts_segment_bytes(made.index, segment_units(made.index, units_per_segment, segment)), bytes->size());
  return *bytes;
}

test::TsReader read(const Made& made, std::uint32_t units_per_segment = 3) {
  test::TsReader reader;
  for (std::uint32_t n = 0; n < segment_count(made.index, units_per_segment); ++n) {
    reader.read(segment_of(made, n, units_per_segment));
  }
  EXPECT_THAT(reader.complaints, IsEmpty());
  return reader;
}

// What the elementary stream of a picture must be.
Bytes expected_picture(const Made& made, std::size_t i, std::size_t file_offset) {
  const mp4::Sample& sample = made.index.samples[i];
  Bytes es = kDelimiter;
  if (sample.sync) es.insert(es.end(), kSets.begin(), kSets.end());
  for (std::size_t at = file_offset; at < file_offset + sample.bytes;) {
    const std::size_t length = ByteReader(ByteView(made.file).subspan(at, 4)).u32();
    const auto unit = made.file.begin() + static_cast<std::ptrdiff_t>(at);
    es.insert(es.end(), kDelimiter.begin(), kDelimiter.begin() + 4);
    es.insert(es.end(), unit + 4, unit + 4 + static_cast<std::ptrdiff_t>(length));
    at += 4 + length;
  }
  return es;
}

void expect_pictures(const Made& made, std::uint32_t units_per_segment = 3) {
  const test::TsReader reader = read(made, units_per_segment);
  ASSERT_EQ(reader.pes.size(), made.index.samples.size());
  std::size_t at = made.index.units.front().file_offset;
  for (std::size_t i = 0; i < reader.pes.size(); ++i) {
    ASSERT_EQ(reader.pes[i].es, expected_picture(made, i, at)) << "picture " << i;
    at += made.index.samples[i].bytes;
  }
}

TEST(TsSegment, PicturesOfEverySize) {
  MoovShape shape = MoovShape::video_of(480, 48);
  for (std::size_t i = 0; i < shape.sizes.size(); ++i) shape.sizes[i] = static_cast<std::uint32_t>(5 + i);
  expect_pictures(made_video(shape));
  for (std::uint32_t& size : shape.sizes) size += 480;
  expect_pictures(made_video(shape), 1);
}

TEST(TsSegment, SegmentsOfOnePictureOfEverySize) {
  for (std::uint32_t size = 5; size < 600; ++size) {
    MoovShape shape = MoovShape::video_of(2, 1);
    shape.timescale = 1;
    shape.durations = {{2, 2}};
    shape.sizes = {size, size + 1};
    expect_pictures(made_video(shape), 1);
  }
}

TEST(TsSegment, ManySmallUnitsAndLargePictures) {
  MoovShape shape = MoovShape::video_of(96, 48);
  shape.sizes[0] = 700'000;
  shape.sizes[1] = 262'144;
  shape.sizes[48] = 262'143;
  for (const std::size_t unit_bytes : {5, 6, 9, 187, 65'531}) expect_pictures(made_video(shape, unit_bytes));
}

// What next() asks for ends in the middle of a length, at each of its bytes.
TEST(TsSegment, PiecesEndAnywhere) {
  for (std::uint32_t lead = 0; lead < 8; ++lead) {
    MoovShape shape = MoovShape::video_of(48, 48);
    shape.sizes[0] = 600'000;
    const Made probe = made_video(shape);
    const auto maker = make_segment_maker({.index = probe.index, .segment = 0, .packaging = Packaging::ts});
    const std::size_t first = (*maker)->next().bytes;
    ASSERT_LT(first, 600'000u);
    expect_pictures(made_video(shape, first - lead));
  }
}

TEST(TsSegment, ADelimiterInThePictureBecomesZeros) {
  MoovShape shape = MoovShape::video_of(48, 48);
  Made made = made_video(shape);
  const std::size_t at = made.index.units.front().file_offset;
  const Bytes lead = {0, 0, 0, 2, 0x09, 0x10, 0, 0, 3, 222};  // the picture has 1000 bytes
  std::copy(lead.begin(), lead.end(), made.file.begin() + static_cast<std::ptrdiff_t>(at));
  made.file[at + 10] = 0x65;
  const test::TsReader reader = read(made);
  Bytes expected = kDelimiter;
  expected.insert(expected.end(), kSets.begin(), kSets.end());
  expected.insert(expected.end(), 6, 0);
  expected.insert(expected.end(), kDelimiter.begin(), kDelimiter.begin() + 4);
  expected.insert(expected.end(), made.file.begin() + static_cast<std::ptrdiff_t>(at) + 10,
                  made.file.begin() + static_cast<std::ptrdiff_t>(at) + 1000);
  EXPECT_EQ(reader.pes[0].es, expected);
}

TEST(TsSegment, FramesOfEverySize) {
  MoovShape shape = MoovShape::audio_of(700);
  for (std::size_t i = 0; i < shape.sizes.size(); ++i) shape.sizes[i] = static_cast<std::uint32_t>(2 + i);
  const Made made = made_audio(shape);
  const test::TsReader reader = read(made, 1);
  std::size_t at = made.index.units.front().file_offset;
  std::size_t frame = 0;
  for (const test::ReadPes& one : reader.pes) {
    for (std::size_t i = 0; i < one.es.size();) {
      const std::size_t length =
          std::size_t(one.es[i + 3] & 3) << 11 | std::size_t{one.es[i + 4]} << 3 | one.es[i + 5] >> 5;
      ASSERT_EQ(length, 7 + shape.sizes[frame]);
      EXPECT_EQ(one.es[i], 0xff);
      EXPECT_EQ(one.es[i + 1], 0xf1);
      EXPECT_EQ(one.es[i + 2], 0x4c);  // LC, 48 kHz
      EXPECT_EQ(one.es[i + 3] >> 6, 2);
      ASSERT_TRUE(std::equal(one.es.begin() + static_cast<std::ptrdiff_t>(i + 7),
                             one.es.begin() + static_cast<std::ptrdiff_t>(i + length),
                             made.file.begin() + static_cast<std::ptrdiff_t>(at)));
      at += shape.sizes[frame++];
      i += length;
    }
  }
  EXPECT_EQ(frame, 700u);
  EXPECT_LT(reader.pes.size(), 700u / 3);
}

TEST(TsSegment, SegmentsOfOneFrameOfEverySize) {
  for (std::uint32_t size = 2; size < 500; ++size) {
    MoovShape shape = MoovShape::audio_of(2);
    shape.durations = {{2, 96'000}};
    shape.sizes = {size, size + 3};
    EXPECT_EQ(read(made_audio(shape), 1).pes.size(), 2u);
  }
}

TEST(TsSegment, AHoleInTheSoundEndsItsPacket) {
  MoovShape shape = MoovShape::audio_of(8);
  shape.durations = {{1, 1024}, {1, 1500}, {6, 1024}};
  const test::TsReader reader = read(made_audio(shape));
  ASSERT_EQ(reader.pes.size(), 3u);
  EXPECT_EQ(reader.pes[0].presentation, kTsOriginTicks);
  EXPECT_EQ(reader.pes[1].presentation, kTsOriginTicks + (1024 + 1500) * 90'000 / 48'000 + 1);  // 4732.5
  EXPECT_EQ(reader.pes[2].presentation, kTsOriginTicks + (1024 + 1500 + 4096) * 90'000 / 48'000 + 1);
}

TEST(TsSegment, EmptySamplesAreLeftOut) {
  MoovShape shape = MoovShape::video_of(96, 48);
  for (const std::size_t i : {3, 4, 47, 95}) shape.sizes[i] = 0;
  shape.sizes[20] = 1;
  Made made = made_video(shape);
  const test::TsReader reader = read(made);
  EXPECT_EQ(reader.pes.size(), 91u);
}

TEST(TsSegment, TheClockGoesOnUnderAPictureThatStands) {
  MoovShape shape = MoovShape::video_of(4, 2);
  shape.timescale = 1000;
  shape.durations = {{1, 1}, {1, 9'999}, {1, 101}, {1, 3'000}};
  const test::TsReader reader = read(made_video(shape), 1);
  EXPECT_EQ(reader.packets_without_payload, 99u + 1 + 29);
}

TEST(TsSegment, TheClockBeginsAnewAfter26Hours) {
  for (const bool video : {true, false}) {
    MoovShape shape = video ? MoovShape::video_of(480, 48) : MoovShape::audio_of(900);
    if (video) shape.timescale = 24'000, shape.durations = {{480, 1000}};
    Made made = video ? made_video(shape) : made_audio(shape);
    // The clock's end falls 9 s into what is made.
    const std::uint64_t wrap =
        (kTsClockMask + 1 - kTsOriginTicks - 9 * kTsClockRate) * made.index.timescale / kTsClockRate;
    std::vector<mp4::Unit> units;
    for (mp4::Unit unit : made.index.units) {
      unit.decode_time += wrap;
      units.push_back(unit);
    }
    made.index.units = mp4::UnitTable(units, 0);
    made.index.edit_duration += wrap;
    const test::TsReader reader = read(made);
    EXPECT_GT(reader.pes.front().presentation, kTsClockMask - 10 * kTsClockRate);
    EXPECT_LT(reader.pes.back().presentation, 12 * kTsClockRate);
  }
}

TEST(TsSegment, WhatIsDecodedBeforeTheFilmBeginsHasItsTimes) {
  MoovShape shape = MoovShape::audio_of(200);
  shape.edits = {{0, 2112}};
  const test::TsReader reader = read(made_audio(shape));
  EXPECT_EQ(reader.pes.front().presentation, kTsOriginTicks - 2112 * 90'000 / 48'000);
  shape.edits = {{500, -1}, {0, 0}};
  EXPECT_EQ(read(made_audio(shape)).pes.front().presentation, kTsOriginTicks + 45'000);
}

TEST(TsSegment, KeyFramesBeginWithTheTables) {
  MoovShape shape = MoovShape::video_of(96 + 1, 48);
  shape.durations = {{96, 1}, {1, 24}};  // the last unit is one picture
  const Made made = made_video(shape);
  const Bytes segment = segment_of(made, 0);
  const auto frames = ts_key_frames(made.index, {0, 3});
  ASSERT_EQ(frames.size(), 3u);
  for (const TsKeyFrame& frame : frames) {
    ASSERT_LE(frame.offset + frame.bytes, segment.size());
    const ByteView bytes = ByteView(segment).subspan(frame.offset, frame.bytes);
    EXPECT_EQ(bytes[1] << 8 | bytes[2], 0x4000);
    std::size_t starts = 0;
    for (std::size_t at = 376; at < bytes.size(); at += 188) starts += (bytes[at + 1] & 0x40) != 0 ? 1 : 0;
    EXPECT_EQ(starts, 1u);
    const std::size_t end = frame.offset + frame.bytes;
    // The next picture or table, or the clock that goes on under this one.
    EXPECT_TRUE(end == segment.size() || (segment[end + 1] & 0x40) != 0 || (segment[end + 3] & 0x10) == 0);
  }
  EXPECT_THAT((std::array{frames[0].unit, frames[1].unit, frames[2].unit}), ElementsAre(0, 1, 2));
}

Error failure_of(const Made& made) {
  auto maker = make_segment_maker({.index = made.index, .segment = 0, .packaging = Packaging::ts});
  if (!maker) return maker.error();
  const auto bytes = test::drive(**maker, made.file);
  EXPECT_FALSE(bytes.ok());
  return bytes.ok() ? Error{} : bytes.error();
}

TEST(TsSegment, PicturesThatAreNoneAreRefused) {
  Made made = made_video(MoovShape::video_of(48, 48));
  const std::size_t at = made.index.units.front().file_offset;
  made.file[at + 3] += 1;
  EXPECT_EQ(failure_of(made).code, ErrorCode::media_unsupported);
  EXPECT_THAT(failure_of(made).detail, HasSubstr("one ends after its sample"));
  made.file[at + 3] -= 2;
  EXPECT_THAT(failure_of(made).detail, HasSubstr("left over"));
  MoovShape shape = MoovShape::audio_of(48);
  shape.sizes[7] = 8'185;
  EXPECT_THAT(failure_of(made_audio(shape)).detail, HasSubstr("8185 bytes"));
}

TEST(TsSegment, WhatItCannotCarryIsNotOffered) {
  Made made = made_video(MoovShape::video_of(48, 48));
  made.index.sample_entry = avc_entry_with_sets(2);
  EXPECT_EQ(failure_of(made).code, ErrorCode::packaging_not_offered);
  for (const char* entry : {"hvc1", "av01"}) {
    std::copy(entry, entry + 4, made.index.sample_entry.begin() + 4);
    EXPECT_EQ(failure_of(made).code, ErrorCode::packaging_not_offered);
    EXPECT_FALSE(ts_carries(made.index));
    EXPECT_EQ(ts_segment_bytes(made.index, {0, 1}), 0u);
  }
  MoovShape shape = MoovShape::audio_of(48);
  shape.sample_entry = test::aac_entry({0x11, 0x80});  // channels are in the configuration
  EXPECT_EQ(failure_of(made_audio(shape)).code, ErrorCode::packaging_not_offered);
  shape.sample_entry = test::aac_entry({0x11, 0x94});  // frames of 960
  EXPECT_EQ(failure_of(made_audio(shape)).code, ErrorCode::packaging_not_offered);
  shape.sample_entry = test::aac_entry({0x2b, 0x11, 0x88, 0x00});  // SBR over 24 kHz
  EXPECT_EQ(read(made_audio(shape)).pes.front().es[2], 0x58);
}

TEST(TsClock, IsRoundedToTheNearestOnBothSidesOfZero) {
  EXPECT_EQ(ts_ticks(-1024, 48'000), -1920);
  EXPECT_EQ(ts_ticks(1, 180'000), 1);
  EXPECT_EQ(ts_ticks(-1, 180'000), 0);
  EXPECT_EQ(ts_ticks(-2, 180'000), -1);
  EXPECT_EQ(ts_ticks(std::int64_t{1} << 50, 90'000), std::int64_t{1} << 50);
  for (std::int64_t time = -3000; time < 3000; ++time) {
    EXPECT_NEAR(static_cast<double>(ts_ticks(time, 1001)), static_cast<double>(time) * 90'000 / 1001, 0.5);
  }
}

}  // namespace
}  // namespace reelway::origin::hls
