#include <algorithm>

#include "origin/hls/presentation.h"

// Model: a path is compared, never decoded: whatever is not written exactly as the playlists write it is not found.
// So one resource has one path, and one place in a cache.

namespace reelway::origin::hls {
namespace {

constexpr std::size_t kTrackNameBytesMax = 64;
constexpr std::size_t kSegmentDigitsMax = 9;

Error not_found(std::string_view path) {
  constexpr std::size_t shown = 120;
  return {ErrorCode::http_not_found, Side::client, false,
          "no resource of a title is called \"" + std::string(path.substr(0, shown)) + "\""};
}

bool is_track_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !name.empty() && name.size() <= kTrackNameBytesMax && std::all_of(name.begin(), name.end(), plain);
}

bool is_track_id(std::string_view id) {
  for (const std::string_view kind : {"video/", "audio/"}) {
    if (id.starts_with(kind)) return is_track_name(id.substr(kind.size()));
  }
  return false;
}

// The number in "<n>.m4s", written without leading zeros.
std::optional<std::uint32_t> segment_number(std::string_view file) {
  constexpr std::string_view suffix = ".m4s";
  if (!file.ends_with(suffix)) return std::nullopt;
  const std::string_view digits = file.substr(0, file.size() - suffix.size());
  if (digits.empty() || digits.size() > kSegmentDigitsMax || (digits.size() > 1 && digits[0] == '0')) {
    return std::nullopt;
  }
  std::uint32_t number = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return number;
}

}  // namespace

Result<Resource> parse_resource(std::string_view path) {
  if (path == "master.m3u8") return Resource{};
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return not_found(path);
  Resource resource;
  resource.track_id = path.substr(0, slash);
  if (!is_track_id(resource.track_id)) return not_found(path);
  const std::string_view file = path.substr(slash + 1);
  if (file == "media.m3u8") {
    resource.kind = Resource::Kind::media_playlist;
  } else if (file == "init.mp4") {
    resource.kind = Resource::Kind::init;
  } else if (const auto number = segment_number(file)) {
    resource.kind = Resource::Kind::segment;
    resource.segment = *number;
  } else {
    return not_found(path);
  }
  return resource;
}

std::string_view content_type(Resource::Kind kind, mp4::TrackKind track) {
  switch (kind) {
    case Resource::Kind::multivariant:
    case Resource::Kind::media_playlist: return "application/vnd.apple.mpegurl";
    case Resource::Kind::init:
    case Resource::Kind::segment: break;
  }
  return track == mp4::TrackKind::video ? "video/mp4" : "audio/mp4";
}

}  // namespace reelway::origin::hls
