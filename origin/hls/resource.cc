#include <algorithm>
#include <array>

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

constexpr std::string_view kTexts = "subtitles/", kImages = "images/";

bool is_track_id(std::string_view id) {
  for (const std::string_view kind : {std::string_view("video/"), std::string_view("audio/"), kTexts, kImages}) {
    if (id.starts_with(kind)) return is_track_name(id.substr(kind.size()));
  }
  return false;
}

// The number in "<n>.m4s", written without leading zeros.
std::optional<std::uint32_t> numbered(std::string_view file, std::string_view suffix) {
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

// Files of a packaging's own folder, and those of a track's.
struct NamedFile {
  std::string_view name;
  Resource::Kind kind;
};
constexpr std::array kVersionFiles = {NamedFile{"master.m3u8", Resource::Kind::multivariant},
                                      NamedFile{"manifest.mpd", Resource::Kind::dash_manifest}};
constexpr std::array kTrackFiles = {NamedFile{"media.m3u8", Resource::Kind::media_playlist},
                                    NamedFile{"init.mp4", Resource::Kind::init},
                                    NamedFile{"iframes.m3u8", Resource::Kind::iframe_playlist}};
constexpr std::array kKeyFiles = {NamedFile{"key", Resource::Kind::key},
                                  NamedFile{"clearkey.json", Resource::Kind::clearkey}};
constexpr std::array kTextFiles = {NamedFile{"media.m3u8", Resource::Kind::text_playlist}};
constexpr std::array kImscFiles = {NamedFile{"imsc.m3u8", Resource::Kind::imsc_playlist},
                                   NamedFile{"init.mp4", Resource::Kind::imsc_init}};
constexpr std::array kImageFiles = {NamedFile{"media.m3u8", Resource::Kind::image_playlist},
                                    NamedFile{"thumbnails.vtt", Resource::Kind::image_cues},
                                    NamedFile{"index.bif", Resource::Kind::image_bif}};
constexpr std::string_view kIFrameFile = "iframes-", kIFrameSuffix = ".mp4";

template <std::size_t kCount>
std::optional<Resource::Kind> named(const std::array<NamedFile, kCount>& files, std::string_view name) {
  for (const NamedFile& file : files) {
    if (file.name == name) return file.kind;
  }
  return std::nullopt;
}

// The packaging whose folder the path begins with, which is taken off.
Packaging take_packaging(std::string_view& path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return Packaging::cmaf;
  const auto packaging = packaging_of_folder(path.substr(0, slash));
  if (!packaging) return Packaging::cmaf;
  path.remove_prefix(slash + 1);
  return *packaging;
}

// One of a track's named files, or its file of this number.
template <std::size_t kCount>
bool find_file(const std::array<NamedFile, kCount>& files, std::string_view suffix, Resource::Kind numbered_kind,
               std::string_view file, Resource& resource) {
  if (const auto kind = named(files, file)) {
    resource.kind = *kind;
    return true;
  }
  const auto number = numbered(file, suffix);
  if (!number) return false;
  resource.kind = numbered_kind;
  resource.segment = *number;
  return true;
}

// Keys are there where something is encrypted with them; ClearKey where players decrypt samples by it.
std::optional<Resource::Kind> named_key(Packaging packaging, std::string_view name) {
  const PackagingTraits& of = traits(packaging);
  const auto kind = named(kKeyFiles, name);
  if (!kind || of.protection == Protection::none) return std::nullopt;
  const bool samples = of.protection == Protection::cbcs || of.protection == Protection::cenc;
  return *kind == Resource::Kind::clearkey && !samples ? std::nullopt : kind;
}

// Of "iframes-<n>.mp4".
std::optional<std::uint32_t> iframe_file_number(std::string_view file) {
  if (!file.starts_with(kIFrameFile)) return std::nullopt;
  return numbered(file.substr(kIFrameFile.size()), kIFrameSuffix);
}

bool find_track_file(std::string_view file, Resource& resource) {
  using Kind = Resource::Kind;
  if (resource.track_id.starts_with(kTexts)) {
    const bool may_be_imsc = traits(resource.packaging).container == Container::fmp4;
    return find_file(kTextFiles, ".vtt", Kind::text_segment, file, resource) ||
           (may_be_imsc && find_file(kImscFiles, ".m4s", Kind::imsc_segment, file, resource));
  }
  if (!resource.track_id.starts_with(kImages)) {
    if (const auto key = named_key(resource.packaging, file)) {
      resource.kind = *key;
      return true;
    }
    if (const auto number = iframe_file_number(file)) {
      resource.kind = Kind::iframe_file;
      resource.segment = *number;
      return true;
    }
    return find_file(kTrackFiles, segment_suffix(resource.packaging), Kind::segment, file, resource);
  }
  // The same for all packagings, so they are in none's folder.
  return resource.packaging == Packaging::cmaf && find_file(kImageFiles, ".jpg", Kind::image_sheet, file, resource);
}

}  // namespace

Result<Resource> parse_resource(std::string_view path) {
  const std::string_view whole = path;
  Resource resource;
  resource.packaging = take_packaging(path);
  if (const auto kind = named(kVersionFiles, path)) {
    resource.kind = *kind;
    return resource;
  }
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return not_found(whole);
  resource.track_id = path.substr(0, slash);
  if (!is_track_id(resource.track_id)) return not_found(whole);
  if (!find_track_file(path.substr(slash + 1), resource)) return not_found(whole);
  return resource;
}

std::string_view content_type(const Resource& resource, mp4::TrackKind track) {
  switch (resource.kind) {
    case Resource::Kind::multivariant:
    case Resource::Kind::media_playlist:
    case Resource::Kind::iframe_playlist:
    case Resource::Kind::text_playlist:
    case Resource::Kind::imsc_playlist:
    case Resource::Kind::image_playlist: return "application/vnd.apple.mpegurl";
    case Resource::Kind::text_segment:
    case Resource::Kind::image_cues: return "text/vtt; charset=utf-8";
    case Resource::Kind::imsc_init:
    case Resource::Kind::imsc_segment: return "application/mp4";
    case Resource::Kind::image_sheet: return "image/jpeg";
    case Resource::Kind::image_bif:
    case Resource::Kind::key: return "application/octet-stream";
    case Resource::Kind::clearkey: return "application/json";
    case Resource::Kind::dash_manifest: return "application/dash+xml";
    case Resource::Kind::iframe_file: return "video/mp4";
    case Resource::Kind::init:
    case Resource::Kind::segment: break;
  }
  if (traits(resource.packaging).container == Container::ts) return "video/mp2t";
  return track == mp4::TrackKind::video ? "video/mp4" : "audio/mp4";
}

}  // namespace reelway::origin::hls
