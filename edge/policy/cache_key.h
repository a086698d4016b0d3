#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reelway::edge {

// The view (common/access/view.h) of every viewer for an object that does not differ by view.
inline constexpr std::string_view kViewAll = "all";

// How an object of a film is asked for and stored. Texts (playlists, manifests, subtitles) exist plain and in gzip;
// everything else once. An Accept-Encoding of whatever form comes down to one of the two.
enum class Coding : std::uint8_t { identity, gzip };
// `accept_encoding` is nothing when the request has no such field: then it is the plain text that is safe to send.
Coding coding_for(std::string_view object_path, const std::optional<std::string>& accept_encoding);
bool has_codings(std::string_view object_path);  // so its answers vary by Accept-Encoding

// "/film/v1/master.m3u8|all": the object's path as received, then the view, then "|gzip" for what is stored in that
// coding. The token, the query, the Origin and every other header stay out of it, so all viewers of one view share one
// stored object.
std::string cache_key(std::string_view object_path, std::string_view view, Coding coding = Coding::identity);

// "s|www.example|/path?query", of a site's request: Host in lower case, the target as received. Never that of a film's
// object, which begins with '/'.
std::string site_cache_key(std::string_view host, std::string_view target);

}  // namespace reelway::edge
