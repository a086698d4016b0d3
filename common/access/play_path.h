#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/access/clip.h"
#include "common/base/result.h"

namespace reelway::access {

// "/t/<token>/<title>/<version>/<rest>" taken apart. `object_path` is "/<title>/<version>/<rest>": the path that the
// edge asks of the origin and the start of the cache key. Views into the path given.
struct PlayPath {
  std::string_view token;
  std::string_view title;
  std::string_view version;
  std::string_view object_path;
};

// `path` is the target without its query. An object path is made of unreserved characters (RFC 3986, section 2.3) and
// single slashes, without "." or ".." segments: so one object has one path, and one cache key.
// token_missing when the path does not begin with /t/<something>/; http_not_found when what follows is no object path.
Result<PlayPath> parse_play_path(std::string_view path);

// "/t/<token>/<title>/heartbeat": where a player says that it still plays (POST). Nothing for any other path.
struct HeartbeatPath {
  std::string_view token;
  std::string_view title;
};
std::optional<HeartbeatPath> parse_heartbeat_path(std::string_view path);

bool is_title_id(std::string_view text);                            // [a-z0-9][a-z0-9-]{0,62}
std::optional<std::uint32_t> parse_version(std::string_view text);  // "v1", "v2", ...

// The height that a rendition's path carries: 720 for "/<title>/<version>/video/720/...", ".../video/720-2/..." and
// "/<title>/<version>/<packaging>/video/720/...", with a clip's folder before it or not.
std::optional<std::uint32_t> path_height(std::string_view object_path);
// The clip that a path lies in: "/<title>/<version>/clip-0-60/...".
std::optional<Clip> path_clip(std::string_view object_path);

}  // namespace reelway::access
