#include "origin/hls/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "common/base/crc32c.h"
#include "origin/mp4/box.h"
#include "tests/support/moov.h"

namespace reelway::origin::hls {
namespace {

using mp4::four_cc;
using test::MoovShape;

mp4::TrackIndex index_of(const MoovShape& shape) {
  auto index = mp4::index_from_moov(test::make_moov(shape), shape.file_bytes(), nullptr);
  EXPECT_TRUE(index.ok()) << describe(index.error());
  return *index;
}

// Boxes by their path ("moof/traf/trun"), containers opened.
std::map<std::string, Bytes> boxes_of(ByteView bytes, const std::string& parent = {}) {
  std::map<std::string, Bytes> boxes;
  EXPECT_TRUE(mp4::for_each_child(bytes, four_cc("file"), [&](const mp4::Box& box) -> Result<void> {
                const std::string path = parent + mp4::four_cc_text(box.type);
                EXPECT_TRUE(boxes.emplace(path, Bytes(box.body.begin(), box.body.end())).second) << path;
                for (const char* container : {"moof", "traf", "moov", "trak", "edts", "mdia", "minf", "stbl", "mvex"}) {
                  if (mp4::four_cc_text(box.type) != container) continue;
                  boxes.merge(boxes_of(box.body, path + "/"));
                }
                return {};
              }).ok());
  return boxes;
}

// The boxes of a planned segment, with as many zeros in mdat as its range has bytes.
std::map<std::string, Bytes> boxes_of_plan(const SegmentPlan& plan) {
  Bytes whole = plan.header;
  whole.resize(whole.size() + plan.file_bytes);
  return boxes_of(whole);
}

struct Trun {
  std::uint32_t flags = 0, count = 0, data_offset = 0, first_flags = 0;
  std::vector<std::vector<std::uint32_t>> rows;
};

Trun read_trun(const Bytes& body) {
  ByteReader in(body);
  Trun trun;
  trun.flags = in.u32() & 0xffffff;
  trun.count = in.u32();
  trun.data_offset = in.u32();
  if ((trun.flags & 4) != 0) trun.first_flags = in.u32();
  for (std::uint32_t i = 0; i < trun.count; ++i) {
    trun.rows.emplace_back();
    for (const std::uint32_t field : {0x100u, 0x200u, 0x400u, 0x800u}) {
      if ((trun.flags & field) != 0) trun.rows.back().push_back(in.u32());
    }
  }
  EXPECT_TRUE(in.at_end() && !in.failed());
  return trun;
}

TEST(Segment, HasOneFragmentAndItsMedia) {
  const mp4::TrackIndex index = index_of(MoovShape::video_of(480, 48));
  const auto plan = plan_segment(index, 3, 1);
  ASSERT_TRUE(plan.ok());
  const auto boxes = boxes_of_plan(*plan);
  ASSERT_TRUE(boxes.contains("moof/traf/tfdt"));
  EXPECT_EQ(ByteReader(ByteView(boxes.at("moof/mfhd")).subspan(4)).u32(), 2u);
  EXPECT_EQ(ByteReader(ByteView(boxes.at("moof/traf/tfdt")).subspan(4)).u64(), 144u);
  EXPECT_EQ(boxes.at("mdat").size(), plan->file_bytes);
  const Trun trun = read_trun(boxes.at("moof/traf/trun"));
  EXPECT_EQ(trun.count, 144u);
  // Counted from the first byte of moof, which follows styp.
  EXPECT_EQ(trun.data_offset, plan->header.size() - (8 + boxes.at("styp").size()));
  EXPECT_EQ(plan->first_unit, 3u);
  EXPECT_EQ(plan->unit_count, 3u);
  EXPECT_EQ(plan->file_offset, index.units[3].file_offset);
  EXPECT_EQ(segment_bytes(index, {3, 3}), plan->header.size() + plan->file_bytes);
}

TEST(Segment, WritesOnlyTheFieldsThatDiffer) {
  const auto flags_of = [](const MoovShape& shape, std::uint32_t units) {
    const mp4::TrackIndex index = index_of(shape);
    const auto plan = plan_segment(index, units, 0);
    return read_trun(boxes_of_plan(*plan).at("moof/traf/trun")).flags;
  };
  MoovShape video = MoovShape::video_of(480, 48);
  EXPECT_EQ(flags_of(video, 1), 0x205u);  // first flags
  EXPECT_EQ(flags_of(video, 3), 0x601u);  // flags of each
  video.durations = {{1, 2}, {479, 1}};
  EXPECT_EQ(flags_of(video, 3), 0x701u);
  video.durations = {{480, 1}};
  video.offsets = {{1, 1}, {46, 2}, {433, 1}};
  EXPECT_EQ(flags_of(video, 3), 0xe01u);
  EXPECT_EQ(flags_of(MoovShape::audio_of(400), 3), 0x201u);
}

TEST(Segment, SamplesComeBackAsTheyWent) {
  MoovShape shape = MoovShape::video_of(100, 48);
  shape.durations = {{60, 1}, {40, 2}};
  shape.offsets = {{1, 1}, {47, 2}, {1, 1}, {51, 3}};
  const mp4::TrackIndex index = index_of(shape);
  std::size_t sample = 0;
  for (std::uint32_t n = 0; n < segment_count(index, 1); ++n) {
    const auto plan = plan_segment(index, 1, n);
    const auto boxes = boxes_of_plan(*plan);
    const Trun trun = read_trun(boxes.at("moof/traf/trun"));
    ByteReader tfhd(boxes.at("moof/traf/tfhd"));
    const std::uint32_t tfhd_flags = tfhd.u32();
    tfhd.u32();
    const std::uint32_t duration = (tfhd_flags & 8) != 0 ? tfhd.u32() : 0;
    for (const auto& row : trun.rows) {
      const mp4::Sample& expected = index.samples[sample++];
      std::size_t field = 0;
      EXPECT_EQ((trun.flags & 0x100) != 0 ? row[field++] : duration, expected.duration);
      EXPECT_EQ(row[field++], expected.bytes);
      if ((trun.flags & 0x400) != 0) {
        EXPECT_EQ((row[field++] & 0x10000) == 0, expected.sync);
      }
      if ((trun.flags & 0x800) != 0) {
        EXPECT_EQ(row[field++], static_cast<std::uint32_t>(expected.composition_offset));
      }
    }
  }
  EXPECT_EQ(sample, index.samples.size());
}

TEST(Segment, SumIsThatOfHeaderAndUnits) {
  mp4::TrackIndex index = index_of(MoovShape::video_of(400, 48));
  Bytes file(index.file_bytes);
  for (std::size_t i = 0; i < file.size(); ++i) file[i] = static_cast<std::uint8_t>(i * 131 + i / 251);
  for (std::size_t i = 0; i < index.units.size(); ++i) {
    const mp4::Unit& unit = index.units[i];
    mp4::set_unit_crc(index, i, crc32c(ByteView(file).subspan(unit.file_offset, unit.file_bytes)));
  }
  std::uint64_t at = index.units[0].file_offset;
  for (std::uint32_t n = 0; n < segment_count(index, 3); ++n) {
    const auto plan = plan_segment(index, 3, n);
    EXPECT_EQ(plan->file_offset, at);
    at += plan->file_bytes;
    const std::uint32_t whole =
        crc32c(ByteView(file).subspan(plan->file_offset, plan->file_bytes), crc32c(plan->header));
    EXPECT_EQ(plan->crc32c, whole) << n;
  }
}

TEST(Segment, BeyondTheLastIsNotFound) {
  const mp4::TrackIndex index = index_of(MoovShape::video_of(480, 48));
  EXPECT_EQ(segment_count(index, 3), 4u);
  EXPECT_EQ(plan_segment(index, 3, 3)->unit_count, 1u);
  EXPECT_EQ(plan_segment(index, 3, 4).error().code, ErrorCode::http_not_found);
  EXPECT_EQ(plan_segment(index, 3, UINT32_MAX).error().code, ErrorCode::http_not_found);
}

TEST(Segment, MediaOverFourGigabytesHasALargeBox) {
  MoovShape shape = MoovShape::video_of(48, 48);
  for (std::uint32_t& size : shape.sizes) size = 100'000'000;  // 4.8 GB
  shape.wide_offsets = true;
  const mp4::TrackIndex index = index_of(shape);
  const auto plan = plan_segment(index, 3, 0);
  ByteReader tail(ByteView(plan->header).last(16));
  EXPECT_EQ(tail.u32(), 1u);
  EXPECT_EQ(tail.u32(), four_cc("mdat"));
  EXPECT_EQ(tail.u64(), 4'800'000'016u);
  EXPECT_EQ(segment_bytes(index, {0, 1}), plan->header.size() + plan->file_bytes);
}

TEST(Segment, ATrackThatBeginsLateHasLaterDecodeTimes) {
  MoovShape shape = MoovShape::video_of(96, 48);
  shape.edits = {{500, -1}, {4000, 0}};
  const mp4::TrackIndex index = index_of(shape);
  const auto plan = plan_segment(index, 1, 1);
  EXPECT_EQ(ByteReader(ByteView(boxes_of_plan(*plan).at("moof/traf/tfdt")).subspan(4)).u64(), 60u);
  const auto init = boxes_of(init_segment({"video/720", "", false, std::make_shared<mp4::TrackIndex>(index)}));
  EXPECT_FALSE(init.contains("moov/trak/edts/elst"));
}

TEST(InitSegment, CarriesTheEditAndTheEntry) {
  MoovShape shape = MoovShape::video_of(96, 48);
  shape.offsets = {{1, 1}, {47, 2}, {1, 1}, {47, 3}};
  shape.edits = {{4000, 1}};
  const mp4::TrackIndex index = index_of(shape);
  ASSERT_EQ(index.edit_start, 0);  // offsets are levelled: the least becomes 0
  mp4::TrackIndex edited = index;
  edited.edit_start = 2;
  const auto boxes = boxes_of(init_segment({"video/720", "", false, std::make_shared<mp4::TrackIndex>(edited)}));
  ByteReader elst(boxes.at("moov/trak/edts/elst"));
  EXPECT_EQ(elst.u32(), 0u);
  EXPECT_EQ(elst.u32(), 1u);
  EXPECT_EQ(elst.u32(), 0u);
  EXPECT_EQ(elst.i32(), 2);
  EXPECT_EQ(elst.u32(), 0x10000u);
  const Bytes stsd = boxes.at("moov/trak/mdia/minf/stbl/stsd");
  EXPECT_TRUE(std::equal(index.sample_entry.begin(), index.sample_entry.end(), stsd.begin() + 8, stsd.end()));
  EXPECT_EQ(ByteReader(ByteView(boxes.at("moov/mvex/mehd")).subspan(4)).u64(), index.edit_duration);
  EXPECT_FALSE(boxes.contains("moov/udta"));
}

TEST(InitSegment, AVeryLateEditIsWide) {
  mp4::TrackIndex index = index_of(MoovShape::video_of(96, 48));
  index.edit_start = std::int64_t{1} << 40;
  const auto boxes = boxes_of(init_segment({"video/720", "", false, std::make_shared<mp4::TrackIndex>(index)}));
  ByteReader elst(boxes.at("moov/trak/edts/elst"));
  EXPECT_EQ(elst.u8(), 1);
  elst.u24();
  elst.u32();
  elst.u64();
  EXPECT_EQ(elst.i64(), std::int64_t{1} << 40);
}

TEST(InitSegment, NotesAacPriming) {
  MoovShape shape = MoovShape::audio_of(100);
  shape.durations = {{99, 1024}, {1, 500}};
  shape.edits = {{2101, 1024}};
  const auto index = std::make_shared<mp4::TrackIndex>(index_of(shape));
  const auto boxes = boxes_of(init_segment({"audio/en-aac", "", true, index}));
  const std::string udta(as_text(boxes.at("moov/udta")));
  // Priming 1024, the last frame's unused 524, and 98 frames and 500 samples between.
  EXPECT_THAT(udta, ::testing::HasSubstr(" 00000000 00000400 0000020C 00000000000189F4 "));
}

}  // namespace
}  // namespace reelway::origin::hls
