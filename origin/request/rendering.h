#pragma once

#include <memory>
#include <string>

#include "common/access/view.h"
#include "origin/catalog/catalog.h"
#include "origin/hls/multivariant_playlist.h"
#include "origin/hls/presentation.h"
#include "origin/protection/content_keys.h"
#include "origin/request/rendered_cache.h"

namespace reelway::origin {

// Of the resources that are made from indexes alone, and kept: playlists, manifests, init segments, subtitles.
bool is_rendered(hls::Resource::Kind kind);
// Of subtitles, and of small pictures, which are not among the presentation's tracks.
bool is_text(hls::Resource::Kind kind);
bool is_image(hls::Resource::Kind kind);

struct RenderOrder {
  const PublishedVersion& version;
  std::size_t position = 0;  // in the presentation's tracks, texts or images; of a resource of the whole version: any
  const hls::Resource& resource;
  std::string content_type;
  const access::View& view;
  const hls::Steering& steering;
  const VersionKeys* keys = nullptr;  // of a protected packaging; may be null for subtitles and pictures
};
// Pure and deterministic. packaging_not_offered; http_not_found for what the packaging or the track has not;
// rendition_not_in_offer, language_not_in_offer.
Result<std::shared_ptr<const Rendered>> render(const RenderOrder& order);

}  // namespace reelway::origin
