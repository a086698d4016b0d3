#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reelway::origin {

// Raised whenever the packager makes other bytes of the same film, so that no cache mixes old parts with new ones.
inline constexpr std::uint32_t kPackagerVersion = 1;

// A strong validator (RFC 9110 section 8.8.3): body's sum and length, the version's content and the packager.
std::string entity_tag(std::uint32_t body_crc32c, std::uint64_t body_bytes, std::string_view content_id);

// Whether an If-None-Match field names the tag (weak comparison, as section 13.1.2 asks).
bool none_match_names(std::string_view field, std::string_view tag);

}  // namespace reelway::origin
