#include "origin/mp4/track_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/moov.h"

namespace reelway::origin::mp4 {
namespace {

using test::MoovShape;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<TrackIndex> index_of(const MoovShape& shape, const Cuts* cuts = nullptr) {
  return index_from_moov(test::make_moov(shape), shape.file_bytes(), cuts);
}

TrackIndex good_index_of(const MoovShape& shape, const Cuts* cuts = nullptr) {
  auto index = index_of(shape, cuts);
  EXPECT_TRUE(index.ok()) << describe(index.error());
  return index.ok() ? *index : TrackIndex{};
}

std::vector<std::uint32_t> unit_sizes(const TrackIndex& index) {
  std::vector<std::uint32_t> sizes;
  for (const Unit& unit : index.units) sizes.push_back(unit.sample_count);
  return sizes;
}

std::vector<std::uint64_t> unit_starts(const TrackIndex& index) {
  std::vector<std::uint64_t> starts;
  for (std::size_t i = 0; i <= index.units.size(); ++i) starts.push_back(unit_start(index, i));
  return starts;
}

TEST(VideoIndex, DescribesTheTrack) {
  const TrackIndex index = good_index_of(MoovShape::video_of(120, 48));
  EXPECT_EQ(index.kind, TrackKind::video);
  EXPECT_EQ(index.timescale, 24u);
  EXPECT_EQ(index.media_duration, 120u);
  EXPECT_EQ(index.edit_start, 0);
  EXPECT_EQ(index.edit_duration, 120u);
  EXPECT_EQ(index.codecs, "avc1.64001f");
  EXPECT_EQ(index.language, "en");
  EXPECT_EQ(index.width, 1280u);
  EXPECT_EQ(index.height, 720u);
  EXPECT_DOUBLE_EQ(index.frame_rate(), 24.0);
  EXPECT_EQ(index.sample_entry, test::avc_entry());
  EXPECT_THAT(unit_sizes(index), ElementsAre(48, 48, 24));
  EXPECT_THAT(unit_starts(index), ElementsAre(0, 48, 96, 120));
}

TEST(VideoIndex, UnitsAreOneRangeAfterAnother) {
  const TrackIndex index = good_index_of(MoovShape::video_of(100, 48));
  std::uint64_t at = 48;
  for (const Unit& unit : index.units) {
    EXPECT_EQ(unit.file_offset, at);
    at += unit.file_bytes;
  }
  EXPECT_EQ(at, 48 + MoovShape::video_of(100, 48).media_bytes());
}

TEST(VideoIndex, AnExtraSyncSampleStartsNoUnit) {
  MoovShape shape = MoovShape::video_of(144, 48);
  shape.sync = {{1, 20, 49, 93, 97}};  // 20 is 19 frames in, 93 is 44 frames in, 45.6 would be enough
  EXPECT_THAT(unit_sizes(good_index_of(shape)), ElementsAre(48, 48, 48));
  shape.sync = {{1, 47, 97}};  // 46 frames are 1.917 s
  EXPECT_THAT(unit_sizes(good_index_of(shape)), ElementsAre(46, 50, 48));
}

TEST(VideoIndex, AShortLastUnitJoinsTheOneBefore) {
  EXPECT_THAT(unit_sizes(good_index_of(MoovShape::video_of(48 + 11, 48))), ElementsAre(59));
  EXPECT_THAT(unit_sizes(good_index_of(MoovShape::video_of(48 + 12, 48))), ElementsAre(48, 12));
  EXPECT_THAT(unit_sizes(good_index_of(MoovShape::video_of(3, 48))), ElementsAre(3));
}

// Two closed groups of 48 frames in decode order I P B B P B B ... P B, `shift` added to every offset.
MoovShape b_frames(std::int32_t shift) {
  MoovShape shape = MoovShape::video_of(96, 48);
  const auto add = [&](std::uint32_t count, std::int32_t offset) {
    shape.offsets.push_back({count, static_cast<std::uint32_t>(offset + shift)});
  };
  for (int gop = 0; gop < 2; ++gop) {
    add(1, 1);
    for (int i = 0; i < 15; ++i) {
      add(1, 3);
      add(2, 0);
    }
    add(1, 2);
    add(1, 0);
  }
  return shape;
}

TEST(VideoIndex, BFrameDelayIsTakenAwayByTheEdit) {
  MoovShape shape = b_frames(0);
  shape.edits = {{4000, 1}};
  const TrackIndex index = good_index_of(shape);
  EXPECT_EQ(index.edit_start, 1);
  EXPECT_THAT(unit_starts(index), ElementsAre(0, 48, 96));
}

TEST(VideoIndex, NegativeOffsetsBecomeAnEdit) {
  const TrackIndex plain = good_index_of(b_frames(0));
  for (const std::int32_t shift : {-1, -3, 5}) {
    MoovShape shape = b_frames(shift);
    shape.offset_version = 1;
    const TrackIndex index = good_index_of(shape);
    EXPECT_EQ(index.edit_start, -shift);
    EXPECT_EQ(unit_start(index, 1), static_cast<std::uint64_t>(49 + shift));
    for (std::size_t i = 0; i < 96; ++i) {
      EXPECT_EQ(index.samples[i].composition_offset, plain.samples[i].composition_offset);
    }
  }
}

TEST(VideoIndex, AnEmptyEditIsADelay) {
  MoovShape shape = MoovShape::video_of(96, 48);
  shape.edit_version = 1;
  shape.edits = {{500, -1}, {4000, 0}};
  const TrackIndex index = good_index_of(shape);
  EXPECT_EQ(index.edit_start, -12);
  EXPECT_THAT(unit_starts(index), ElementsAre(0, 60, 108));
}

TEST(VideoIndex, AnEditRoundedToMillisecondsCutsNothing) {
  MoovShape shape = MoovShape::video_of(100, 48);
  shape.timescale = 24000;
  shape.durations = {{100, 1001}};
  shape.edits = {{4170, 0}};  // 4170.83 ms
  EXPECT_EQ(good_index_of(shape).edit_duration, 100100u);
}

TEST(VideoIndex, AShorterEditCutsTheEnd) {
  MoovShape shape = MoovShape::video_of(100, 48);
  shape.edits = {{3000, 0}};
  const TrackIndex index = good_index_of(shape);
  EXPECT_EQ(index.samples.size(), 72u);
  EXPECT_EQ(index.edit_duration, 72u);
  EXPECT_THAT(unit_sizes(index), ElementsAre(48, 24));
}

TEST(VideoIndex, OpenGroupsOfPicturesAreRefused) {
  MoovShape shape = MoovShape::video_of(96, 48);
  shape.offsets = {{48, 2}, {1, 3}, {47, 0}};  // frame 50 is shown before key frame 49
  const Error error = index_of(shape).error();
  EXPECT_EQ(error.code, ErrorCode::media_unsupported);
  EXPECT_THAT(error.detail, HasSubstr("sample 50"));
}

TEST(VideoIndex, DisplaySizeFollowsAspectAndRotation) {
  MoovShape shape = MoovShape::video_of(48, 48);
  shape.width = 1024;
  shape.height = 576;
  EXPECT_EQ(good_index_of(shape).width, 1024u);
  shape.width = 0;
  EXPECT_EQ(good_index_of(shape).width, 1280u);
}

TEST(SampleTables, WideAndSmallFormsSayTheSame) {
  MoovShape shape = MoovShape::video_of(100, 48);
  shape.sizes.clear();
  for (std::uint32_t i = 0; i < 100; ++i) shape.sizes.push_back(1 + i % 14);
  const TrackIndex plain = good_index_of(shape);
  for (const unsigned bits : {4u, 8u, 16u}) {
    shape.small_size_bits = bits;
    const TrackIndex small = good_index_of(shape);
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(small.samples[i].bytes, plain.samples[i].bytes) << bits;
  }
  shape.small_size_bits = 0;
  shape.header_version = 1;
  shape.wide_offsets = true;
  shape.first_offset = std::uint64_t{5} << 32;
  shape.chunk_samples = {1, 50, 49};
  const TrackIndex wide = good_index_of(shape);
  EXPECT_EQ(wide.units[0].file_offset, std::uint64_t{5} << 32);
  EXPECT_EQ(wide.units[1].sample_count, 52u);
  shape.common_size = 7;
  EXPECT_EQ(good_index_of(shape).samples[99].bytes, 7u);
}

Cuts cuts_each(std::uint32_t timescale, std::uint64_t step, std::uint32_t count, std::uint64_t end) {
  Cuts cuts{timescale, {}, end};
  for (std::uint32_t i = 0; i < count; ++i) cuts.starts.push_back(i * step);
  return cuts;
}

TEST(AudioIndex, DescribesTheTrack) {
  MoovShape shape = MoovShape::audio_of(470);
  shape.edits = {{10005, 1024}};
  const TrackIndex index = good_index_of(shape);
  EXPECT_EQ(index.kind, TrackKind::audio);
  EXPECT_EQ(index.codecs, "mp4a.40.2");
  EXPECT_EQ(index.sample_rate, 48000u);
  EXPECT_EQ(index.channels, 2u);
  EXPECT_EQ(index.edit_start, 1024);
  EXPECT_EQ(index.edit_duration, 469u * 1024);
  EXPECT_EQ(index.width, 0u);
}

TEST(AudioIndex, IsCutAtTheFirstFrameNotBeforeTheVideo) {
  MoovShape shape = MoovShape::audio_of(470);
  shape.edits = {{10005, 1024}};
  const Cuts cuts = cuts_each(24000, 48048, 5, 240240);  // 23.976 frames per second: 2.002 s
  const TrackIndex index = good_index_of(shape, &cuts);
  ASSERT_EQ(index.units.size(), 5u);
  for (std::size_t i = 1; i < 5; ++i) {
    const double cut = static_cast<double>(i) * 2.002;
    const double start = static_cast<double>(unit_start(index, i)) / 48000;
    EXPECT_GE(start, cut);
    EXPECT_LT(start - 1024.0 / 48000, cut);
  }
}

TEST(AudioIndex, AFrameExactlyAtTheCutBelongsToTheNewUnit) {
  MoovShape shape = MoovShape::audio_of(375);  // 8.000 s
  const Cuts cuts = cuts_each(1000, 4000, 2, 8000);
  // 4 s are 187.5 frames; frame 188 is the first at or after it.
  EXPECT_THAT(unit_sizes(good_index_of(shape, &cuts)), ElementsAre(188, 187));
  const Cuts exact = cuts_each(3, 8, 2, 24);  // 2.667 s are 125 frames
  EXPECT_THAT(unit_sizes(good_index_of(shape, &exact)), ElementsAre(125, 250));
}

TEST(AudioIndex, LongerThanTheVideo) {
  const Cuts cuts = cuts_each(1000, 2000, 2, 4000);
  EXPECT_EQ(good_index_of(MoovShape::audio_of(200), &cuts).units.size(), 2u);  // 4.27 s: joined
  EXPECT_EQ(good_index_of(MoovShape::audio_of(230), &cuts).units.size(), 3u);  // 4.91 s
  EXPECT_EQ(good_index_of(MoovShape::audio_of(470), &cuts).units.size(), 5u);  // 10.03 s: cut every 2 s from the end
}

TEST(AudioIndex, ShorterThanTheVideo) {
  const Cuts cuts = cuts_each(1000, 2000, 5, 10000);
  EXPECT_EQ(good_index_of(MoovShape::audio_of(200), &cuts).units.size(), 2u);
  EXPECT_EQ(good_index_of(MoovShape::audio_of(10), &cuts).units.size(), 1u);
}

TEST(AudioIndex, AHoleLongerThanAUnitIsRefused) {
  MoovShape shape = MoovShape::audio_of(300);
  shape.durations = {{100, 1024}, {1, 48000 * 5}, {199, 1024}};
  const Cuts cuts = cuts_each(1000, 2000, 7, 14000);
  const Error error = index_of(shape, &cuts).error();
  EXPECT_EQ(error.code, ErrorCode::media_unsupported);
  EXPECT_THAT(error.detail, HasSubstr("hole"));
  shape.durations = {{100, 1024}, {1, 4000}, {199, 1024}};  // a short one only moves the cuts
  EXPECT_TRUE(index_of(shape, &cuts).ok());
}

TEST(AudioIndex, UnusableCutsAreRefused) {
  const MoovShape shape = MoovShape::audio_of(300);
  for (const Cuts& cuts :
       {Cuts{0, {0}, 1}, Cuts{1, {}, 1}, Cuts{1, {1}, 2}, Cuts{1, {0, 4, 4}, 9}, Cuts{1, {0, 4}, 4}}) {
    EXPECT_FALSE(index_of(shape, &cuts).ok());
  }
}

TEST(Cuts, ComeFromTheVideoAfterItsEdit) {
  MoovShape shape = MoovShape::video_of(120, 48);
  shape.offsets = {{120, 2}};
  shape.edits = {{5000, 2}};
  const Cuts cuts = cuts_of(good_index_of(shape));
  EXPECT_EQ(cuts.timescale, 24u);
  EXPECT_THAT(cuts.starts, ElementsAre(0, 48, 96));
  EXPECT_EQ(cuts.end, 120u);
}

TEST(Alignment, ComparesTimesAcrossTimescales) {
  const TrackIndex reference = good_index_of(MoovShape::video_of(120, 48));
  MoovShape same = MoovShape::video_of(120, 48);
  same.timescale = 12288;
  same.durations = {{120, 512}};
  EXPECT_TRUE(check_aligned(reference, good_index_of(same)).ok());
  same.sync = {{1, 50, 97}};
  EXPECT_EQ(check_aligned(reference, good_index_of(same)).error().code, ErrorCode::transcode_failed);
  EXPECT_FALSE(check_aligned(reference, good_index_of(MoovShape::video_of(96, 48))).ok());
}

// Each row breaks one thing; the error must name it.
struct BrokenCase {
  const char* name;
  void (*breaks)(MoovShape&);
  ErrorCode code;
  const char* detail;
};

class BrokenMoov : public ::testing::TestWithParam<BrokenCase> {};

TEST_P(BrokenMoov, IsRefusedByName) {
  MoovShape shape = MoovShape::video_of(100, 48);
  GetParam().breaks(shape);
  const auto index = index_of(shape);
  ASSERT_FALSE(index.ok());
  EXPECT_EQ(index.error().code, GetParam().code) << describe(index.error());
  EXPECT_THAT(index.error().detail, HasSubstr(GetParam().detail));
}

using S = MoovShape;
constexpr ErrorCode kMalformed = ErrorCode::mp4_malformed;
constexpr ErrorCode kUnsupported = ErrorCode::media_unsupported;
constexpr BrokenCase kBroken[] = {
    {"fragmented", [](S& s) { s.fragmented = true; }, kUnsupported, "mvex"},
    {"no_timescale", [](S& s) { s.timescale = 0; }, kMalformed, "mdhd"},
    {"no_movie_timescale", [](S& s) { s.movie_timescale = 0; }, kMalformed, "mvhd"},
    {"header_version", [](S& s) { s.header_version = 2; }, kMalformed, "mvhd"},
    {"no_samples", [](S& s) { s = S{}; }, ErrorCode::media_zero_duration, "no samples"},
    {"no_duration",
     [](S& s) {
       s.durations = {{100, 0}};
     },
     ErrorCode::media_zero_duration, "no duration"},
    {"stts_short",
     [](S& s) {
       s.durations = {{99, 1}};
     },
     kMalformed, "stts"},
    {"stts_long",
     [](S& s) {
       s.durations = {{101, 1}};
     },
     kMalformed, "stts"},
    {"stts_overflow",
     [](S& s) {
       s.durations = {{4294967295, 1}, {101, 1}};
     },
     kMalformed, "stts"},
    {"stts_negative",
     [](S& s) {
       s.durations = {{99, 1}, {1, 0xfffffff0}};
     },
     kMalformed, "stts"},
    {"ctts_short",
     [](S& s) {
       s.offsets = {{1, 1}};
     },
     kMalformed, "ctts"},
    {"ctts_version",
     [](S& s) {
       s.offset_version = 2, s.offsets = {{100, 1}};
     },
     kMalformed, "ctts"},
    {"ctts_span",
     [](S& s) {
       s.offsets = {{50, 0x7fffffff}, {50, 0x80000000}};
     },
     kMalformed, "ctts"},
    {"stss_order",
     [](S& s) {
       s.sync = {{1, 49, 48}};
     },
     kMalformed, "stss"},
    {"stss_range",
     [](S& s) {
       s.sync = {{1, 101}};
     },
     kMalformed, "stss"},
    {"stss_zero", [](S& s) { s.sync = {{0}}; }, kMalformed, "stss"},
    {"stss_late", [](S& s) { s.sync = {{2}}; }, kUnsupported, "first sample"},
    {"stss_empty", [](S& s) { s.sync.emplace().clear(); }, kUnsupported, "first sample"},
    {"gap",
     [](S& s) {
       s.chunk_samples = {50, 50}, s.chunk_offsets = {48, 99999};
     },
     kUnsupported, "stco: chunk 2"},
    {"chunk_missing", [](S& s) { s.chunk_samples = {50}; }, kMalformed, "stsc"},
    {"chunk_beyond",
     [](S& s) {
       s.chunk_samples = {50, 51};
     },
     kMalformed, "stsc"},
    {"chunk_empty",
     [](S& s) {
       s.chunk_samples = {0, 100};
     },
     kMalformed, "stsc"},
    {"chunk_rows",
     [](S& s) {
       s.chunk_samples = {50, 50, 1}, s.chunk_offsets = {48};
     },
     kMalformed, "stsc"},
    {"offset_beyond", [](S& s) { s.wide_offsets = true, s.chunk_offsets = {UINT64_MAX - 4}; }, kMalformed, "overflow"},
    {"file_short", [](S& s) { s.chunk_offsets = {1u << 30}; }, ErrorCode::media_truncated, "the file has"},
    {"sample_size", [](S& s) { s.sizes[3] = 0x80000000; }, kUnsupported, "stsz"},
    {"stz2_bits", [](S& s) { s.small_size_bits = 5; }, kMalformed, "stz2"},
    {"two_edits",
     [](S& s) {
       s.edits = {{1000, 0}, {1000, 50}};
     },
     kUnsupported, "elst"},
    {"edit_rate",
     [](S& s) {
       s.edits = {{1000, 0, 0x20000}};
     },
     kUnsupported, "elst"},
    {"edit_late",
     [](S& s) {
       s.edits = {{1000, 101}};
     },
     kMalformed, "elst"},
    {"edit_below",
     [](S& s) {
       s.edits = {{1000, -2}};
     },
     kMalformed, "elst"},
    {"edit_all",
     [](S& s) {
       s.edits = {{1000, 100}};
     },
     ErrorCode::media_zero_duration, "presents nothing"},
    {"edit_past_unit",
     [](S& s) {
       s.edits = {{1000, 60}};
     },
     kUnsupported, "unit 1"},
    {"edit_delay",
     [](S& s) {
       s.edits = {{4000000000, -1}, {1000, 0}};
     },
     kUnsupported, "hour"},
    {"edit_overflow",
     [](S& s) {
       s.edit_version = 1, s.edits = {{UINT64_MAX, -1}, {UINT64_MAX, -1}};
     },
     kMalformed, "elst"},
    {"edit_length",
     [](S& s) {
       s.edit_version = 1, s.edits = {{1000, -1}, {UINT64_MAX, 0}};
     },
     kMalformed, "elst"},
    {"edit_many",
     [](S& s) {
       s.edits.assign(65, {0, -1});
     },
     kUnsupported, "elst"},
    {"edit_version",
     [](S& s) {
       s.edit_version = 2, s.edits = {{0, 0}};
     },
     kMalformed, "elst"},
    {"codec", [](S& s) { s.sample_entry = Bytes{0, 0, 0, 8, 'v', 'p', '0', '9'}; }, kUnsupported, "vp09"},
    {"entry_open", [](S& s) { s.sample_entry = Bytes{0, 0, 0, 0, 'a', 'v', 'c', '1'}; }, kMalformed, "avc1"},
    {"entry_short", [](S& s) { s.sample_entry = Bytes{0, 0, 0, 8, 'a', 'v', 'c', '1'}; }, kMalformed, "avc1"},
    {"audio_entry", [](S& s) { s.sample_entry = test::aac_entry(); }, kUnsupported, "mp4a"},
    {"forever",
     [](S& s) {
       s.timescale = 1, s.durations = {{100, 0x7fffffff}};
     },
     kUnsupported, "duration"},
};
INSTANTIATE_TEST_SUITE_P(Each, BrokenMoov, ::testing::ValuesIn(kBroken),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Moov, CutAnywhereIsAnErrorAndNeverMore) {
  MoovShape shape = MoovShape::video_of(60, 48);
  shape.offsets = {{60, 2}};
  shape.edits = {{2500, 2}};
  const Bytes whole = test::make_moov(shape);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto index = index_from_moov(ByteView(whole).first(size), shape.file_bytes(), nullptr);
    EXPECT_FALSE(index.ok()) << size;
  }
}

TEST(Moov, AClaimOfManySamplesAllocatesNothing) {
  MoovShape shape = MoovShape::video_of(10, 48);
  Bytes moov = test::make_moov(shape);
  const std::string_view text = as_text(moov);
  const std::size_t stsz = text.find("stsz");
  for (std::size_t i = 0; i < 4; ++i) moov[stsz + 12 + i] = 0xff;  // the sample count
  EXPECT_EQ(index_from_moov(moov, shape.file_bytes(), nullptr).error().code, ErrorCode::mp4_malformed);
  moov[stsz + 11] = 1;  // with one size for all there is no table to hold the claim against
  EXPECT_EQ(index_from_moov(moov, shape.file_bytes(), nullptr).error().code, ErrorCode::media_unsupported);
}

TEST(Moov, TwoTracksAreRefused) {
  const Bytes one = test::make_moov(MoovShape::video_of(48, 48));
  ByteReader reader(one);
  reader.skip(8);
  const std::uint32_t mvhd_bytes = ByteReader(ByteView(one).subspan(8)).u32();
  ByteWriter out;
  {
    const BoxScope moov(out, four_cc("moov"));
    out.append(ByteView(one).subspan(8));
    out.append(ByteView(one).subspan(8 + mvhd_bytes));
  }
  EXPECT_THAT(index_from_moov(out.bytes(), 1 << 20, nullptr).error().detail, HasSubstr("trak: appears twice"));
}

}  // namespace
}  // namespace reelway::origin::mp4
