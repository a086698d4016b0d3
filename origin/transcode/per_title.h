#pragma once

#include <cstdint>
#include <vector>

#include "origin/transcode/encode_plan.h"
#include "origin/transcode/picture_options.h"

// Bit rates for one film. Pure: which samples of it are to be encoded, and what follows from what they took.
//
// The table's rates fit a film that is hard to encode; most are easier, and look the same with less. Samples are
// encoded at a fixed quality (kProbeQuality), which takes what it takes. That quality is the table's on a hard film: of
// the two real films that it was measured with, the harder one (60 s of animation, 360 lines) needs 91 % of the table's
// rate for it at 360 lines and 99 % at 240, with SSIM 0.9875 and 0.9784 where the table's rate gives 0.9886 and 0.9773.
// So a film as hard as that gets the table, and an easier one the same quality for less.
//
// Where samples lie depends on the film's length only, and encoders run on one thread: a film always gets the same
// plan.

namespace reelway::origin {

inline constexpr std::uint64_t kSamplesMin = 6, kSamplesMax = 60;
// Of the film, by which samples are counted between these. A sample is one group of pictures, 2 s.
inline constexpr double kSampledShare = 0.03;

// Spread evenly, each in the middle of its share of the film; all of a film that is shorter than its samples. What
// stands at the end while sound goes on is not sampled.
std::vector<EncodePart> rate_samples(const EncodePlan& plan);

struct RateSample {
  std::uint64_t frames = 0;
  std::vector<std::uint64_t> bytes;  // of each rung's pictures
};

struct RateTrial {
  std::vector<RateSample> samples;  // those that could be encoded
  double cpu_s = 0;
};

// Sets the rungs' bit rates: the samples' average, but enough that the worst of them fits into the peak, which is 1.5
// times the average; at least kRateFloor of the table's rate and at most rate_percent_max of it. Fewer than half of the
// samples: the plan stays what it was, with the table's rates.
void set_rates(EncodePlan& plan, const RateTrial& trial, const PictureOptions& options);
inline constexpr double kRateFloor = 0.25;

}  // namespace reelway::origin
