#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/http/message.h"

// Which object a player will probably ask for after the one it asks for now, so that it can be fetched before. Object
// paths as in common/access/play_path.h; whether the player may have what is named here, its caller asks.

namespace reelway::edge {

// What the player itself says: `nor` of CTA-5004 (CMCD, version 1) or the first of version 2's list, from the query
// parameter CMCD or the field CMCD-Request, resolved against the path of this request. Nothing unless it is an object
// path of the same title and version.
std::optional<std::string> next_by_cmcd(const http::RequestHead& request, std::string_view object_path);

// ".../7.m4s" -> ".../8.m4s", ".../7.ts" -> ".../8.ts"; nothing for any other path. Whether there is such a segment,
// the playlist says.
std::optional<std::string> next_by_number(std::string_view object_path);

// The media playlist that lists a segment: "/film/v1/video/720/7.m4s" -> "/film/v1/video/720/media.m3u8".
std::string playlist_of_segment(std::string_view object_path);
// Whether a media playlist has this segment: a line that is its last path segment.
bool playlist_lists(std::string_view playlist, std::string_view object_path);

}  // namespace reelway::edge
