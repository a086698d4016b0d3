#pragma once

#include <cstdint>
#include <optional>

#include "common/base/bytes.h"

// What playlists say of a track that only its sample entry tells. The entry is the whole box, as parse_video_entry() or
// parse_audio_entry() has taken it: what is not found in it is not stated.

namespace reelway::origin::mp4 {

enum class VideoRange : std::uint8_t { sdr, hlg, pq };

// By the transfer characteristics of its nclx colour box (ISO/IEC 14496-12 section 12.1.5, values of ISO/IEC 23091-2).
VideoRange video_range(ByteView sample_entry);

// How many objects and channels of sound an E-AC-3 stream carries together, when it carries joint object coding (ETSI
// TS 103 420 section 8.3.2): its complexity index, 1 to 16.
std::optional<std::uint32_t> joint_object_complexity(ByteView sample_entry);

}  // namespace reelway::origin::mp4
