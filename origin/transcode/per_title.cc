#include "origin/transcode/per_title.h"

#include <algorithm>
#include <cmath>

namespace reelway::origin {
namespace {

constexpr double kPeak = 1.5;
// The encoder looks 40 pictures ahead for what is worth its bits. A sample ends within that, so it takes 4 to 6 % less
// than the same pictures do within a film.
constexpr double kLookaheadLoss = 1.05;
constexpr double kStep = 10'000;  // as in the table

double needed_bits(const std::vector<RateSample>& samples, std::size_t rung, double frames_per_second) {
  double bits = 0, frames = 0, worst = 0;
  for (const RateSample& sample : samples) {
    const double taken = static_cast<double>(sample.bytes[rung]) * 8;
    bits += taken;
    frames += static_cast<double>(sample.frames);
    worst = std::max(worst, taken / static_cast<double>(sample.frames));
  }
  return std::max(bits / frames, worst / kPeak) * frames_per_second * kLookaheadLoss;
}

}  // namespace

std::vector<EncodePart> rate_samples(const EncodePlan& plan) {
  const double moving_s = plan.duration_s() - plan.still_s;
  const auto moving = static_cast<std::uint64_t>(
      std::clamp(std::floor(moving_s * plan.rate.value()), 1.0, static_cast<double>(plan.frames)));
  const std::uint64_t groups = std::max<std::uint64_t>(1, moving / plan.group_frames);
  const auto share = static_cast<std::uint64_t>(static_cast<double>(groups) * kSampledShare);
  const std::uint64_t count = std::min(groups, std::clamp(share, kSamplesMin, kSamplesMax));
  const std::uint64_t length = std::min<std::uint64_t>(plan.group_frames, moving);
  std::vector<EncodePart> samples;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t from = moving * i / count, to = moving * (i + 1) / count;
    EncodePart sample{"sample-" + std::to_string(i), std::nullopt, from + (to - from - length) / 2, length};
    sample.is_sample = true;
    samples.push_back(std::move(sample));
  }
  return samples;
}

void set_rates(EncodePlan& plan, const RateTrial& trial, const PictureOptions& options) {
  plan.probe = {};
  plan.probe.cpu_s = trial.cpu_s;
  if (trial.samples.empty() || trial.samples.size() * 2 < rate_samples(plan).size()) return;
  for (std::size_t i = 0; i < plan.rungs.size(); ++i) {
    Rung& rung = plan.rungs[i];
    const double table = rung.table_bits;
    const double most = table * options.rate_percent_max / 100, least = std::min(table * kRateFloor, most);
    const double bits = std::clamp(needed_bits(trial.samples, i, plan.rate.value()), least, most);
    rung.bits_per_second = static_cast<std::uint32_t>(std::lround(bits / kStep) * static_cast<long>(kStep));
  }
  double seconds = 0;
  for (const RateSample& sample : trial.samples) seconds += static_cast<double>(sample.frames) / plan.rate.value();
  plan.probe.samples = static_cast<std::uint32_t>(trial.samples.size());
  plan.probe.seconds = seconds;
}

}  // namespace reelway::origin
