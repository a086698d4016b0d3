#pragma once

#include <array>

#include "common/base/bytes.h"
#include "origin/hls/content_key.h"
#include "origin/hls/packaging.h"
#include "origin/hls/presentation.h"

namespace reelway::origin::hls {

// The system that pssh boxes of Common Encryption without any vendor have: 1077efec-c0b2-4d02-ace3-3c1e52e2fb4b
// (W3C, "cenc" Initialization Data Format, section 4).
inline constexpr std::array<std::uint8_t, 16> kCommonSystem = {0x10, 0x77, 0xef, 0xec, 0xc0, 0xb2, 0x4d, 0x02,
                                                               0xac, 0xe3, 0x3c, 0x1e, 0x52, 0xe2, 0xfb, 0x4b};

// init.mp4 of a protected packaging of fragmented MP4. Of cbcs and cenc the sample entry becomes encv or enca with sinf
// (ISO/IEC 14496-12 section 8.12, ISO/IEC 23001-7 section 8.2), and pssh boxes follow: the common one, and
// `provider_boxes` (whole boxes). Of AES-128 the whole is encrypted.
Bytes protected_init_segment(const Track& track, Packaging packaging, const ContentKey& key, ByteView provider_boxes);

}  // namespace reelway::origin::hls
