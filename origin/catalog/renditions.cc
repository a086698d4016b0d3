#include <algorithm>

#include "origin/catalog/catalog.h"
#include "origin/hls/bit_rates.h"
#include "origin/hls/timeline.h"

namespace reelway::origin {

std::vector<Rendition> renditions(const PublishedVersion& version) {
  const std::uint32_t units = version.presentation.units_per_segment;
  const std::uint32_t target = hls::target_seconds(version.presentation);
  std::vector<Rendition> list;
  for (const hls::Track& track : version.presentation.tracks) {
    const mp4::TrackIndex& index = *track.index;
    const hls::BitRates rates = hls::bit_rates(index, units, target);
    Rendition one;
    one.id = track.id;
    one.kind = index.kind;
    one.width = index.width;
    one.height = index.height;
    one.codecs = index.codecs;
    if (index.kind == mp4::TrackKind::audio) {
      one.name = track.name;
      one.language = index.language;
      one.channels = index.channels;
    }
    one.bandwidth = rates.peak;
    one.average_bandwidth = rates.average;
    one.frames = index.samples.size();
    one.duration_ms = static_cast<std::int64_t>(index.edit_duration * 1000 / std::max(1u, index.timescale));
    one.bytes = index.file_bytes;
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace reelway::origin
