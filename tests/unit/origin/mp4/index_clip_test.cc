#include "origin/mp4/index_clip.h"

#include <gtest/gtest.h>

#include "tests/support/moov.h"

namespace reelway::origin::mp4 {
namespace {

using test::MoovShape;

TrackIndex index_of(const MoovShape& shape, const Cuts* cuts = nullptr) {
  auto index = index_from_moov(test::make_moov(shape), shape.file_bytes(), cuts);
  EXPECT_TRUE(index.ok()) << describe(index.error());
  return *index;
}

// 20 units of 2 s; sound whose frames do not fall on them.
TrackIndex video() {
  return index_of(MoovShape::video_of(960, 48));
}
TrackIndex audio(const TrackIndex& of) {
  const Cuts cuts = cuts_of(of);
  return index_of(MoovShape::audio_of(1875), &cuts);
}

TEST(IndexClip, TheWholeFilmIsItself) {
  const TrackIndex whole = video();
  const auto range = clip_range(whole, 0, 20);
  ASSERT_TRUE(range.ok());
  const auto clip = clip_of(whole, *range);
  ASSERT_TRUE(clip.ok()) << describe(clip.error());
  EXPECT_EQ(serialize_index(*clip), serialize_index(whole));
}

TEST(IndexClip, ItsTimesBeginAtZeroAndItsBytesWhereTheyLie) {
  const TrackIndex whole = video();
  const auto range = clip_range(whole, 5, 9);
  ASSERT_TRUE(range.ok());
  const auto clip = clip_of(whole, *range);
  ASSERT_TRUE(clip.ok()) << describe(clip.error());
  ASSERT_EQ(clip->units.size(), 4u);
  EXPECT_EQ(clip->edit_duration, 8u * 24);
  EXPECT_EQ(clip->file_bytes, whole.file_bytes);
  for (std::uint32_t unit = 0; unit < 4; ++unit) {
    EXPECT_EQ(unit_start(*clip, unit), unit * 48u);
    EXPECT_EQ(clip->units[unit].file_offset, whole.units[unit + 5].file_offset);
    EXPECT_EQ(clip->units[unit].file_bytes, whole.units[unit + 5].file_bytes);
    EXPECT_EQ(clip->units[unit].crc32c, whole.units[unit + 5].crc32c);
    EXPECT_EQ(samples_of(*clip, unit, 1), samples_of(whole, unit + 5, 1));
  }
}

// Each track's first unit begins as long after the clip as it begins in the film after the clip's first picture.
TEST(IndexClip, SoundStaysWithThePicture) {
  const TrackIndex picture = video();
  const TrackIndex sound = audio(picture);
  for (std::uint32_t first = 0; first < 19; ++first) {
    const auto range = clip_range(picture, first, 20);
    const auto clip = clip_of(sound, *range);
    ASSERT_TRUE(clip.ok()) << describe(clip.error());
    const auto shown_in_film = static_cast<std::int64_t>(sound.units[first].decode_time) - sound.edit_start;
    const std::int64_t shown_in_clip = -clip->edit_start;
    EXPECT_EQ(shown_in_film - static_cast<std::int64_t>(first) * 96'000, shown_in_clip) << first;
    EXPECT_LT(shown_in_clip, 1024);
    for (std::uint32_t unit = 1; unit < clip->units.size(); ++unit) {
      EXPECT_EQ(unit_start(*clip, unit), unit_start(sound, first + unit) - first * 96'000u);
    }
  }
}

TEST(IndexClip, WhatTheFilmHasNotIsRefused) {
  const TrackIndex whole = video();
  for (const auto& [first, end] : {std::pair(0u, 21u), std::pair(5u, 5u), std::pair(6u, 5u), std::pair(20u, 21u)}) {
    EXPECT_EQ(clip_range(whole, first, end).error().code, ErrorCode::clip_invalid) << first << "-" << end;
  }
}

}  // namespace
}  // namespace reelway::origin::mp4
