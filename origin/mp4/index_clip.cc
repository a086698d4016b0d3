#include "origin/mp4/index_clip.h"

#include <algorithm>
#include <string>

#include "origin/mp4/ticks.h"
#include "origin/mp4/units.h"

// Model: decode times are those of the film less that of the clip's first unit, and the edit list says where in them
// the clip begins. A video unit begins with the picture that is shown first; an audio unit begins up to one frame after
// that moment, and then the clip's sound begins that much later than its picture, as it does in the film.

namespace reelway::origin::mp4 {
namespace {

Error invalid(std::string detail) {
  return {ErrorCode::clip_invalid, Side::client, false, std::move(detail)};
}

bool take_units(TrackIndex& clip, const TrackIndex& whole, std::uint32_t first, std::uint32_t end) {
  std::vector<Unit> units;
  for (std::uint32_t unit = first; unit < end; ++unit) units.push_back(whole.units[unit]);
  clip.samples = SampleTable(samples_of(whole, first, end - first));
  const std::uint64_t file_offset = units.front().file_offset;
  return place_units(clip, std::move(units), file_offset);
}

// All but the tables, which may be large.
TrackIndex without_samples(const TrackIndex& whole) {
  TrackIndex clip;
  clip.kind = whole.kind;
  clip.timescale = whole.timescale;
  clip.codecs = whole.codecs;
  clip.language = whole.language;
  clip.width = whole.width;
  clip.height = whole.height;
  clip.sample_rate = whole.sample_rate;
  clip.channels = whole.channels;
  clip.file_bytes = whole.file_bytes;
  clip.sample_entry = whole.sample_entry;
  return clip;
}

}  // namespace

Result<ClipRange> clip_range(const TrackIndex& reference, std::uint32_t first, std::uint32_t end) {
  if (first >= end || end > reference.units.size()) {
    return invalid("units " + std::to_string(first) + " to " + std::to_string(end) + ", the film has " +
                   std::to_string(reference.units.size()));
  }
  return ClipRange{first, end, unit_start(reference, first), unit_start(reference, end), reference.timescale};
}

Result<TrackIndex> clip_of(const TrackIndex& index, const ClipRange& range) {
  const auto count = static_cast<std::uint32_t>(index.units.size());
  const std::uint32_t end = std::min(range.end, count);
  if (range.first >= end) return invalid("a track ends before unit " + std::to_string(range.first));
  const std::uint64_t start = rescale(range.start, index.timescale, range.timescale);
  const std::uint64_t finish = unit_start(index, end);
  if (finish <= start) return invalid("a track ends before the clip begins");
  TrackIndex clip = without_samples(index);
  if (!take_units(clip, index, range.first, end)) return invalid("its units do not tile its samples");
  clip.edit_start = static_cast<std::int64_t>(start) + index.edit_start -
                    static_cast<std::int64_t>(index.units[range.first].decode_time);
  clip.edit_duration = finish - start;
  if (const std::string complaint = index_complaint(clip); !complaint.empty()) return invalid(complaint);
  return clip;
}

}  // namespace reelway::origin::mp4
