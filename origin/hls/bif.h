#pragma once

#include <cstdint>

#include "common/base/bytes.h"
#include "origin/hls/image_track.h"

// Roku's file of pictures for trick play: a head, then one JPEG after the other.

namespace reelway::origin::hls {

std::uint64_t bif_head_bytes(std::size_t images);
// All that is before the first picture. Little-endian, as no other format here. Times are whole numbers from 0 and the
// interval is the multiplier, which readers understand that ignore either.
Bytes bif_head(const ImageIndex& index);
std::uint64_t bif_bytes(const ImageIndex& index);  // of the whole file

}  // namespace reelway::origin::hls
