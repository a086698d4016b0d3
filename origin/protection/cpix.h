#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "origin/protection/key_provider.h"

// CPIX 2.3 (DASH-IF Content Protection Information Exchange Format) as SPEKE 2.0 uses it: a document without keys goes
// to the key server, and comes back with them. Pure. The form is docs/protection.md.

namespace reelway::origin {

inline constexpr std::size_t kCpixBytesMax = 1024 * 1024;
inline constexpr std::size_t kPsshBytesMax = 64 * 1024;        // of one key, all systems together
inline constexpr std::size_t kSignallingBytesMax = 64 * 1024;  // of one key and kind of playlist, all systems together

struct CpixRequest {
  std::string content_id;
  std::map<KeyLabel, KeyId> ids;
  std::vector<std::string> systems;  // DRM systems, as UUIDs
};

std::string cpix_document(const CpixRequest& request);
// The keys of every id that was asked for. cpix_malformed, key_provider_refused when keys come encrypted.
Result<VersionKeys> parse_cpix(std::string_view xml, const CpixRequest& request);

std::string uuid_text(const KeyId& id);                  // "a0a1a2a3-...", lower case
std::optional<KeyId> parse_uuid(std::string_view text);  // of either case

}  // namespace reelway::origin
