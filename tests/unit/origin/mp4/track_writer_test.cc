#include "origin/mp4/track_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "origin/mp4/units.h"
#include "tests/support/moov.h"

namespace reelway::origin::mp4 {
namespace {

using test::MoovShape;
using ::testing::HasSubstr;

TrackIndex part_of(const MoovShape& shape) {
  auto index = index_from_moov(test::make_moov(shape), shape.file_bytes(), nullptr);
  EXPECT_TRUE(index.ok()) << describe(index.error());
  return std::move(index).value();
}

// The index that a reader makes of the file whose head was written.
TrackIndex read_back(const TrackIndex& track) {
  const Bytes head = track_file_head(track);
  std::uint64_t file_bytes = head.size();
  for (const Sample& sample : track.samples.all()) file_bytes += sample.bytes;
  const auto place = find_moov(file_bytes, [&](std::uint64_t offset, std::size_t count) -> Result<Bytes> {
    Bytes bytes(count);
    for (std::size_t i = 0; i < count && offset + i < head.size(); ++i) bytes[i] = head[offset + i];
    return bytes;
  });
  EXPECT_TRUE(place.ok()) << describe(place.error());
  auto index = index_from_moov(ByteView(head).subspan(place->offset, place->bytes), file_bytes, nullptr);
  EXPECT_TRUE(index.ok()) << describe(index.error());
  EXPECT_EQ(index->units.front().file_offset, head.size());
  return std::move(index).value();
}

void expect_same_samples(const TrackIndex& one, const TrackIndex& other) {
  EXPECT_EQ(one.samples.all(), other.samples.all());
}

TEST(TrackWriter, PartsBecomeOneTrack) {
  const std::vector<TrackIndex> parts{part_of(MoovShape::video_of(96, 48)), part_of(MoovShape::video_of(48, 48)),
                                      part_of(MoovShape::video_of(30, 48))};
  const auto whole = join_video(parts);
  ASSERT_TRUE(whole.ok()) << describe(whole.error());
  EXPECT_EQ(whole->samples.size(), 174u);
  EXPECT_EQ(whole->edit_duration, 174u);
  ASSERT_EQ(whole->units.size(), 4u);
  EXPECT_EQ(whole->units[2].first_sample, 96u);
  const TrackIndex read = read_back(*whole);
  expect_same_samples(*whole, read);
  EXPECT_EQ(read.media_duration, 174u);
  EXPECT_EQ(read.edit_duration, 174u);
  EXPECT_EQ(read.sample_entry, parts[0].sample_entry);
  EXPECT_EQ(read.units.size(), 4u);
}

TEST(TrackWriter, PartWithoutReorderingKeepsItsPlace) {
  MoovShape reordered = MoovShape::video_of(48, 48);
  reordered.offsets = {{1, 2}, {1, 4}, {1, 1}, {1, 0}};
  reordered.offsets.push_back({44, 2});
  reordered.edits = {{2000, 2}};
  const TrackIndex first = part_of(reordered), second = part_of(MoovShape::video_of(2, 48));
  ASSERT_EQ(first.edit_start, 2);
  ASSERT_EQ(second.edit_start, 0);
  const auto whole = join_video(std::vector<TrackIndex>{first, second});
  ASSERT_TRUE(whole.ok()) << describe(whole.error());
  EXPECT_EQ(whole->edit_start, 2);
  EXPECT_EQ(whole->samples[48].composition_offset, 2);
  const TrackIndex read = read_back(*whole);
  expect_same_samples(*whole, read);
  EXPECT_EQ(read.edit_start, 2);
}

TEST(TrackWriter, PartsThatDoNotFitAreNamed) {
  const TrackIndex good = part_of(MoovShape::video_of(48, 48));
  TrackIndex other = good;
  other.sample_entry.back() ^= 1;
  auto joined = join_video(std::vector<TrackIndex>{good, good, other});
  ASSERT_FALSE(joined.ok());
  EXPECT_EQ(joined.error().code, ErrorCode::transcode_failed);
  EXPECT_THAT(joined.error().detail, HasSubstr("part 2 has another codec configuration"));
  other = good;
  other.timescale = 25;
  EXPECT_FALSE(join_video(std::vector<TrackIndex>{good, other}).ok());
  other = good;
  --other.edit_duration;
  EXPECT_FALSE(join_video(std::vector<TrackIndex>{good, other}).ok());
}

TEST(TrackWriter, LargeFileHasWideOffsets) {
  TrackIndex track = part_of(MoovShape::video_of(96, 48));
  std::vector<Sample> samples = track.samples.all();
  for (Sample& sample : samples) sample.bytes = 100'000'000;
  std::vector<Unit> units;
  for (const Unit unit : track.units) units.push_back(unit);
  track.samples = SampleTable(samples);
  ASSERT_TRUE(place_units(track, units, track.units[0].file_offset));
  const TrackIndex read = read_back(track);
  expect_same_samples(track, read);
  EXPECT_EQ(read.units[1].file_offset - read.units[0].file_offset, 4'800'000'000u);
}

}  // namespace
}  // namespace reelway::origin::mp4
