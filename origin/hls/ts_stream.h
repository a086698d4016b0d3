#pragma once

#include <array>
#include <cstdint>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/mp4/track_index.h"

namespace reelway::origin::hls {

enum class TsCodec : std::uint8_t { avc, aac, ac3, eac3 };

inline constexpr std::size_t kAdtsBytes = 7;

// What a track's elementary stream has that its samples do not: in MP4 these things stand once in the sample entry.
struct TsStream {
  TsCodec codec = TsCodec::avc;
  Bytes parameter_sets;                         // of avc: SPS and PPS, each behind a start code
  std::array<std::uint8_t, kAdtsBytes> adts{};  // of aac: the header of a frame of length 0
  Bytes setup;                                  // of audio: what a decryptor is told (AudioSpecificConfig, dac3, dec3)
  std::uint32_t frame_samples = 0;              // of audio: how long a frame lasts, in samples ...
  std::uint32_t sample_rate = 0;                // ... of so many a second; of aac, before SBR
};

// packaging_not_offered for what transport streams cannot carry to HLS players: HEVC and AV1 (Apple's authoring rules
// 1.5 and 1.6 want them in fMP4), and forms of H.264 and AAC that Annex B and ADTS have no way to write.
Result<TsStream> ts_stream(const mp4::TrackIndex& index);

}  // namespace reelway::origin::hls
