#include "origin/transcode/per_title.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

EncodePlan plan_of(double seconds, double still_s = 0) {
  EncodePlan plan;
  plan.rate = {25, 1};
  plan.group_frames = 50;
  plan.frames = static_cast<std::uint64_t>((seconds + still_s) * 25);
  plan.still_s = still_s;
  plan.rungs = ladder(1280, 720, 25);
  return plan;
}

// Samples of one group, each of which takes these bits per second in every rung.
RateTrial trial_of(const EncodePlan& plan, const std::vector<double>& bits) {
  RateTrial trial;
  for (const double rate : bits) {
    const double bytes = rate * plan.group_frames / plan.rate.value() / 8;
    trial.samples.push_back(
        {plan.group_frames, std::vector<std::uint64_t>(plan.rungs.size(), static_cast<std::uint64_t>(bytes))});
  }
  return trial;
}

TEST(RateSamples, LieWithinTheFilmAndDoNotOverlap) {
  for (const double seconds : {0.04, 1.0, 2.0, 3.2, 12.0, 16.0, 60.0, 605.0, 7200.0, 40'000.0}) {
    const EncodePlan plan = plan_of(seconds);
    const std::vector<EncodePart> samples = rate_samples(plan);
    ASSERT_GE(samples.size(), 1u);
    EXPECT_LE(samples.size(), kSamplesMax);
    std::uint64_t next = 0;
    for (const EncodePart& sample : samples) {
      EXPECT_TRUE(sample.is_sample);
      EXPECT_GE(sample.first_frame, next) << seconds;
      EXPECT_GT(sample.frames, 0u);
      next = sample.first_frame + sample.frames;
    }
    EXPECT_LE(next, plan.frames) << seconds;
  }
}

TEST(RateSamples, AreFewBesideTheFilm) {
  EXPECT_EQ(rate_samples(plan_of(60)).size(), kSamplesMin);
  EXPECT_EQ(rate_samples(plan_of(1200)).size(), 18u);
  EXPECT_EQ(rate_samples(plan_of(7200)).size(), kSamplesMax);
}

TEST(RateSamples, AreNotTakenWhereThePictureOnlyStands) {
  const EncodePlan plan = plan_of(20, 100);
  for (const EncodePart& sample : rate_samples(plan)) EXPECT_LE(sample.first_frame + sample.frames, 500u);
}

TEST(SetRates, EasyFilmGetsWhatItNeeds) {
  EncodePlan plan = plan_of(60);
  set_rates(plan, trial_of(plan, {1e6, 1e6, 1e6, 1e6, 1e6, 1e6}), {});
  EXPECT_EQ(plan.rungs.front().bits_per_second, 1'050'000u);
  EXPECT_EQ(plan.rungs.front().table_bits, ladder(1280, 720, 25).front().bits_per_second);
  EXPECT_EQ(plan.probe.samples, 6u);
  EXPECT_DOUBLE_EQ(plan.probe.seconds, 12);
}

TEST(SetRates, WorstSampleFitsIntoThePeak) {
  EncodePlan plan = plan_of(60);
  set_rates(plan, trial_of(plan, {3e5, 3e5, 3e5, 3e5, 3e5, 1.8e6}), {});
  EXPECT_EQ(plan.rungs.front().bits_per_second, 1'260'000u);  // 1.8 / 1.5, and the sample's own loss
}

TEST(SetRates, TableIsTheMostUnlessMoreIsAllowed) {
  EncodePlan plan = plan_of(60);
  const std::vector<Rung> table = plan.rungs;
  const RateTrial grain = trial_of(plan, std::vector<double>(6, 9e6));
  set_rates(plan, grain, {});
  EXPECT_EQ(plan.rungs, table);
  set_rates(plan, grain, {.rate_percent_max = 150});
  EXPECT_EQ(plan.rungs.front().bits_per_second, (table.front().bits_per_second * 3 / 2 + 5'000) / 10'000 * 10'000);
}

TEST(SetRates, AQuarterOfTheTableIsTheLeast) {
  EncodePlan plan = plan_of(60);
  set_rates(plan, trial_of(plan, std::vector<double>(6, 1000)), {});
  for (const Rung& rung : plan.rungs) EXPECT_GE(rung.bits_per_second + 5'000, rung.table_bits / 4);
}

TEST(SetRates, TooFewSamplesLeaveTheTable) {
  EncodePlan plan = plan_of(60);
  const std::vector<Rung> table = plan.rungs;
  set_rates(plan, trial_of(plan, {1e6, 1e6}), {});
  EXPECT_EQ(plan.rungs, table);
  EXPECT_EQ(plan.probe.samples, 0u);
}

}  // namespace
}  // namespace reelway::origin
