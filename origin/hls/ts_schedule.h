#pragma once

#include <cstdint>
#include <vector>

#include "origin/hls/timeline.h"
#include "origin/hls/ts_stream.h"

namespace reelway::origin::hls {

// The sizes of what a segment consists of, in bytes.
inline constexpr std::uint32_t kTsPacketBytes = 188;
inline constexpr std::uint32_t kTsPayloadBytes = 184;       // of a packet without an adaptation field
inline constexpr std::uint32_t kTsFirstPayloadBytes = 176;  // of the first of a PES packet, which has a clock reference
inline constexpr std::uint32_t kTsProgramBytes = 2 * kTsPacketBytes;  // PAT and PMT
inline constexpr std::uint32_t kTsContinuityCycle = 16;

// Clock references are at most this far apart (ISO/IEC 13818-1 section 2.7.2), in ticks.
inline constexpr std::int64_t kTsReferenceTicks = 9'000;
// Packets for nothing but the clock after one PES packet; the clock of a picture that stands longer than 20 s rests.
inline constexpr std::uint32_t kTsReferencesMax = 200;

inline constexpr std::uint32_t kAudBytes = 6;  // an access unit delimiter and its start code
// A frame of sound that is shorter is none, and is left out, as are empty samples.
inline constexpr std::uint32_t kTsSampleBytesMin = 2;

// One PES packet: a picture, or the frames of sound of up to 100 ms, which follow each other without a hole.
// Samples that are too short to be any belong to the packet before them.
struct TsPes {
  std::uint32_t first = 0, count = 0;  // among the segment's samples
  std::uint32_t unit = 0;              // of the track
  bool starts_unit = false;            // PAT and PMT come before it
  bool is_last = false;                // of the segment
  bool sync = false;
  std::int64_t decode_time = 0;  // in the track's timescale, from presentation time 0
  std::int64_t composition_offset = 0;
  std::uint64_t span = 0;      // until the next PES packet is decoded, in the track's timescale
  std::uint64_t es_bytes = 0;  // after the header, as they are in the clear
};

// The PES packets of a segment, in order.
class TsSchedule {
 public:
  // units.count > 0. `index` and `stream` outlive it.
  TsSchedule(const mp4::TrackIndex& index, const TsStream& stream, SegmentUnits units);

  bool next(TsPes& pes);  // false: there are no more
  const std::vector<mp4::Sample>& samples() const { return samples_; }
  // What the elementary stream has before a sample's own bytes.
  std::uint32_t prefix_bytes(const mp4::Sample& sample) const;
  static bool counts(const mp4::Sample& sample) { return sample.bytes >= kTsSampleBytesMin; }

 private:
  void step();
  bool joins(const TsPes& pes) const;

  const mp4::TrackIndex& index_;
  const TsStream& stream_;
  std::vector<mp4::Sample> samples_;
  std::uint32_t last_ = 0;      // the last sample that counts
  std::uint32_t unit_ = 0;      // of the track, in which `at_` lies
  std::uint32_t unit_end_ = 0;  // the sample after its last
  bool unit_begins_ = true;     // no PES packet of the unit was given yet
  std::uint32_t at_ = 0;
  std::int64_t decode_time_ = 0;
};

std::uint32_t pes_header_bytes(const mp4::TrackIndex& index, const TsPes& pes);

// Packets that only have a clock reference, between a PES packet and the next.
std::uint32_t reference_packets(const mp4::TrackIndex& index, const TsPes& pes);

}  // namespace reelway::origin::hls
