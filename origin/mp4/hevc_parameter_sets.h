#pragma once

#include "origin/mp4/hevc_slice_headers.h"

namespace reelway::origin::mp4 {

// From the bits after the NAL unit's header. media_unsupported for extensions that change slice headers in ways that
// are not known here; stored_data_corrupt.
Result<HevcSliceHeaders::Sps> read_hevc_sps(NalBits& in, std::uint32_t& id);
Result<HevcSliceHeaders::Pps> read_hevc_pps(NalBits& in, std::uint32_t& id);

}  // namespace reelway::origin::mp4
