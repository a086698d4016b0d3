#include "origin/mp4/sample_table.h"

#include <gtest/gtest.h>

#include <random>

namespace reelway::origin::mp4 {
namespace {

// Four hours of a film: 48 frames a group, B-frames, sizes as x264 gives them at a few megabits.
std::vector<Sample> video_of(std::size_t count, std::uint32_t mean, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> spread(0, 0.6);
  std::vector<Sample> samples;
  constexpr std::int32_t kOffsets[] = {2, 5, 2, 0, 1, 4};
  for (std::size_t i = 0; i < count; ++i) {
    const bool sync = i % 48 == 0;
    const double size = (sync ? 8.0 : 1.0) * mean * spread(random);
    samples.push_back({static_cast<std::uint32_t>(size) + 20, 512, kOffsets[i % 6] * 512, sync});
  }
  return samples;
}

std::vector<Sample> audio_of(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < count; ++i)
    samples.push_back({300 + static_cast<std::uint32_t>(random() % 90), 1024, 0, true});
  return samples;
}

void expect_comes_back(const std::vector<Sample>& samples) {
  const SampleTable table(samples);
  ASSERT_EQ(table.size(), samples.size());
  ASSERT_EQ(table.all(), samples);
  const auto parsed = SampleTable::parse(table.packed(), static_cast<std::uint32_t>(samples.size()));
  ASSERT_TRUE(parsed.ok()) << describe(parsed.error());
  EXPECT_EQ(*parsed, table);
  for (std::size_t i = 0; i < samples.size(); i += 1 + samples.size() / 300) {
    ASSERT_EQ(table[i], samples[i]) << i;
    ASSERT_EQ(table.composition_offset(i), samples[i].composition_offset) << i;
    ASSERT_EQ(table.is_sync(i), samples[i].sync) << i;
  }
}

TEST(SampleTable, GivesBackWhatItWasGiven) {
  expect_comes_back({});
  expect_comes_back({{0, 0, 0, true}});
  expect_comes_back({{kSampleBytesMax, INT32_MAX, INT32_MAX, false}, {0, 0, 0, true}});
  expect_comes_back(std::vector<Sample>(127, {192, 1536, 0, true}));
  expect_comes_back(std::vector<Sample>(129, {192, 1536, 0, false}));
  for (const std::size_t count : {1, 47, 48, 128, 129, 255, 256, 257, 5000}) {
    expect_comes_back(video_of(count, 3000, count));
    expect_comes_back(audio_of(count, count));
  }
}

TEST(SampleTable, AnyNumbersComeBack) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Sample> samples(1 + random() % 300);
    const unsigned bits = 1 + random() % 31;
    const std::uint64_t mask = (1ull << bits) - 1;
    for (Sample& sample : samples) {
      sample = {static_cast<std::uint32_t>(random() & mask), static_cast<std::uint32_t>(random() & mask),
                static_cast<std::int32_t>(random() & mask), random() % 3 == 0};
    }
    expect_comes_back(samples);
  }
}

TEST(SampleTable, RangesAreParts) {
  const std::vector<Sample> samples = video_of(1000, 3000, 1);
  const SampleTable table(samples);
  for (std::size_t first = 0; first < 1000; first += 37) {
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{144}, 1000 - first}) {
      if (count > 1000 - first) continue;
      const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(first);
      EXPECT_EQ(table.range(first, count), std::vector<Sample>(begin, begin + static_cast<std::ptrdiff_t>(count)));
    }
  }
}

// Two renditions of 1080p, two of 720p, two smaller ones and two languages of AAC, four hours at 24 frames a second.
TEST(SampleTable, FourHoursOfEightRenditionsTakeLittle) {
  constexpr std::size_t kFrames = 4 * 3600 * 24, kAudio = 4 * 3600 * 48000 / 1024;
  std::uint64_t bytes = 0;
  for (const std::uint32_t mean : {27'000u, 20'000u, 12'000u, 8'000u, 4'000u, 1'500u}) {
    bytes += SampleTable(video_of(kFrames, mean, mean)).memory_bytes();
  }
  for (const std::uint64_t seed : {1u, 2u}) bytes += SampleTable(audio_of(kAudio, seed)).memory_bytes();
  EXPECT_LT(bytes, 7'000'000u);  // and 16 bytes for each of 57,600 units: less than eight million together
  RecordProperty("bytes", static_cast<int>(bytes));
}

TEST(SampleTable, DamageIsFoundOrGivesNumbersInBounds) {
  const std::vector<Sample> samples = video_of(300, 3000, 3);
  const SampleTable table(samples);
  const Bytes good(table.packed().begin(), table.packed().end());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    const auto parsed = SampleTable::parse(bad, 300);
    if (!parsed) continue;
    for (const Sample& sample : parsed->all()) {
      ASSERT_LE(sample.bytes, kSampleBytesMax);
      ASSERT_LE(sample.duration, static_cast<std::uint32_t>(INT32_MAX));
      ASSERT_GE(sample.composition_offset, 0);
    }
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(SampleTable::parse(ByteView(good).first(size), 300).ok()) << size;
  }
  EXPECT_FALSE(SampleTable::parse(good, 299).ok());
  EXPECT_FALSE(SampleTable::parse(good, 500).ok());
}

}  // namespace
}  // namespace reelway::origin::mp4
