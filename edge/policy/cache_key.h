#pragma once

#include <string>
#include <string_view>

namespace reelway::edge {

// The view (common/access/view.h) of every viewer for an object that does not differ by view.
inline constexpr std::string_view kViewAll = "all";

// "/film/v1/master.m3u8|all": the object's path as received, then the view. The token, the query, the Origin and every
// other header stay out of it, so all viewers of one view share one stored object.
std::string cache_key(std::string_view object_path, std::string_view view);

// "s|www.example|/path?query", of a site's request: Host in lower case, the target as received. Never that of a film's
// object, which begins with '/'.
std::string site_cache_key(std::string_view host, std::string_view target);

}  // namespace reelway::edge
