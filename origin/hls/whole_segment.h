#pragma once

#include "origin/hls/segment_maker.h"

namespace reelway::origin::hls {

// Whole segments encrypted (METHOD=AES-128, RFC 8216bis section 4.4.4.4): AES-128-CBC over all bytes with PKCS #7
// padding. Every segment of a track has the same IV, the key's, which the playlist states: so that its bytes do not
// depend on which playlist names it, and at which media sequence number. The init segment has it too, as an
// EXT-X-MAP asks (section 4.4.4.5).

// Of clear CMAF. The order's segment exists and it has a key.
std::unique_ptr<SegmentMaker> encrypt_clear_segment(const SegmentOrder& order);
// Of whatever another maker makes.
std::unique_ptr<SegmentMaker> encrypt_segment(std::unique_ptr<SegmentMaker> maker, const ContentKey& key);

Bytes encrypt_whole(ByteView bytes, const ContentKey& key);
// The length of what encryption makes of so many bytes.
constexpr std::uint64_t encrypted_bytes(std::uint64_t clear) {
  return clear / 16 * 16 + 16;
}

}  // namespace reelway::origin::hls
