#pragma once

#include <string>

#include "origin/catalog/catalog.h"
#include "origin/protection/content_keys.h"

namespace reelway::origin {

bool is_protected(hls::Packaging packaging);

// What a version's keys mean for one of its tracks, by position, and what is said of them. `keys` is null for media in
// the clear, which leaves the texts empty.
hls::ContentKey key_of(const PublishedVersion& version, const VersionKeys& keys, std::size_t position);
std::string key_lines(const PublishedVersion& version, const VersionKeys* keys, hls::Packaging packaging,
                      std::size_t position);
// Of the tracks that are in `carried`.
std::string session_keys(const PublishedVersion& version, const VersionKeys* keys, hls::Packaging packaging,
                         const hls::Presentation& carried);
Bytes init_of(const PublishedVersion& version, const VersionKeys* keys, hls::Packaging packaging, std::size_t position);

}  // namespace reelway::origin
