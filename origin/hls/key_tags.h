#pragma once

#include <string>
#include <string_view>

#include "origin/hls/content_key.h"
#include "origin/hls/packaging.h"

namespace reelway::origin::hls {

// How playlists say where keys are (RFC 8216bis sections 4.4.4.4 and 4.4.6.5); each tag a line. `provider_tags` are
// whole lines of DRM systems; those whose METHOD is the packaging's are taken over. Empty for packagings in the clear.

// EXT-X-KEY, for a media playlist: before EXT-X-MAP, so that it holds for the init segment too.
std::string key_tags(Packaging packaging, const ContentKey& key, std::string_view provider_tags);
// EXT-X-SESSION-KEY of one track, for the multivariant playlist.
std::string session_key_tags(Packaging packaging, std::string_view track_id, const ContentKey& key,
                             std::string_view provider_tags);

}  // namespace reelway::origin::hls
