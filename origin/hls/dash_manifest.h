#pragma once

#include <string>

#include "origin/hls/presentation.h"

namespace reelway::origin::hls {

// The static DASH manifest of a packaging in fragmented MP4 whose segments are not encrypted as a whole (ISO/IEC
// 23009-1): the very init segments and segments that the playlists name, so one cached object serves both. All URLs are
// relative, and inherit the token in the manifest's own path.
struct DashOrder {
  const Presentation& presentation;
  Packaging packaging = Packaging::cmaf;
  std::string content_protection{};  // whole elements, for every adaptation set of the film's tracks
  std::string further_sets{};        // whole AdaptationSet elements, of subtitles and images
  std::string title{};               // for people; empty for none
};
bool has_dash_manifest(Packaging packaging);
std::string dash_manifest(const DashOrder& order);

}  // namespace reelway::origin::hls
