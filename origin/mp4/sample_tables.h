#pragma once

#include <cstdint>
#include <vector>

#include "origin/mp4/movie.h"
#include "origin/mp4/track_index.h"

namespace reelway::origin::mp4 {

struct SampleRun {
  std::uint64_t file_offset = 0;  // of the first sample; the others follow without gaps
  std::vector<Sample> samples;
};

// Expands stts, ctts, stss, stsc, stsz or stz2, and stco or co64. Every table must describe exactly the samples that
// the sizes table counts. media_unsupported if the samples do not lie in decode order without gaps, media_truncated
// if they end after the file.
Result<SampleRun> expand_samples(const SampleTables& tables, std::uint64_t file_bytes);

}  // namespace reelway::origin::mp4
