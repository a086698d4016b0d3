#include "origin/hls/segment.h"
#include "origin/hls/ts_segment.h"

// Each packaging knows how long its segments are; this is where they are asked.

namespace reelway::origin::hls {
namespace {

constexpr std::uint64_t kAesBlockBytes = 16;

// PKCS #7 (RFC 5652 section 6.3) adds 1 to 16 bytes.
std::uint64_t padded(std::uint64_t bytes) {
  return (bytes / kAesBlockBytes + 1) * kAesBlockBytes;
}

}  // namespace

std::uint64_t segment_bytes(const mp4::TrackIndex& index, SegmentUnits units, Packaging packaging) {
  const PackagingTraits& how = traits(packaging);
  const std::uint64_t bytes =
      how.container == Container::ts ? ts_segment_bytes(index, units) : clear_segment_bytes(index, units);
  return how.protection == Protection::whole_segment ? padded(bytes) : bytes;
}

}  // namespace reelway::origin::hls
