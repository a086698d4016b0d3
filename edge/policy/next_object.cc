#include "edge/policy/next_object.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "common/access/play_path.h"
#include "common/base/encoding.h"
#include "common/http/structured_field.h"

namespace reelway::edge {
namespace {

constexpr std::size_t kCmcdBytesMax = 2048;
constexpr std::array<std::string_view, 2> kSegmentSuffixes = {".m4s", ".ts"};

std::optional<std::string> cmcd_of(const http::RequestHead& request) {
  constexpr std::string_view kParameter = "CMCD=";
  std::string_view query = request.query();
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    if (!parameter.starts_with(kParameter) || parameter.size() > kCmcdBytesMax) continue;
    return percent_decoded(parameter.substr(kParameter.size()));
  }
  const auto field = request.headers.find("CMCD-Request");
  if (!field || field->size() > kCmcdBytesMax) return std::nullopt;
  return std::string(*field);
}

// The relative URI in `nor`: in version 2 the first string of an inner list.
std::optional<std::string> next_uri(const std::string& cmcd) {
  const auto members = http::parse_dictionary(cmcd);
  if (!members) return std::nullopt;
  for (const http::StructuredMember& member : *members) {
    if (member.key != "nor") continue;
    const std::size_t begin = member.text.find('"');
    const std::size_t end = begin == std::string_view::npos ? begin : member.text.find('"', begin + 1);
    if (end == std::string_view::npos) return std::nullopt;
    return percent_decoded(member.text.substr(begin + 1, end - begin - 1));
  }
  return std::nullopt;
}

std::string_view folder_of(std::string_view path) {
  return path.substr(0, path.rfind('/') + 1);
}

// RFC 3986 section 5.2, as far as a player's next object needs it: names below, or by leading "../" beside, this one.
std::optional<std::string> resolved(std::string_view object_path, std::string_view uri) {
  std::string_view folder = folder_of(object_path);
  while (uri.starts_with("../")) {
    uri.remove_prefix(3);
    if (folder.size() <= 1) return std::nullopt;
    folder = folder_of(folder.substr(0, folder.size() - 1));
  }
  return std::string(folder).append(uri);
}

}  // namespace

std::optional<std::string> next_by_cmcd(const http::RequestHead& request, std::string_view object_path) {
  const auto cmcd = cmcd_of(request);
  const auto uri = cmcd ? next_uri(*cmcd) : std::nullopt;
  if (!uri) return std::nullopt;
  auto next = resolved(object_path, *uri);
  if (!next) return std::nullopt;
  constexpr std::string_view kAnyToken = "/t/-";
  const std::string here_text = std::string(kAnyToken).append(object_path);
  const std::string there_text = std::string(kAnyToken).append(*next);
  const auto here = access::parse_play_path(here_text);
  const auto there = access::parse_play_path(there_text);
  if (!here.ok() || !there.ok() || here->title != there->title || here->version != there->version) return std::nullopt;
  return next;
}

std::optional<std::string> next_by_number(std::string_view object_path) {
  const auto suffix = std::find_if(kSegmentSuffixes.begin(), kSegmentSuffixes.end(),
                                   [object_path](std::string_view one) { return object_path.ends_with(one); });
  if (suffix == kSegmentSuffixes.end()) return std::nullopt;
  const std::string_view folder = folder_of(object_path);
  const std::string_view digits =
      object_path.substr(folder.size(), object_path.size() - folder.size() - suffix->size());
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size() || number == UINT32_MAX) return std::nullopt;
  return std::string(folder).append(std::to_string(number + 1)).append(*suffix);
}

std::string playlist_of_segment(std::string_view object_path) {
  return std::string(folder_of(object_path)).append("media.m3u8");
}

bool playlist_lists(std::string_view playlist, std::string_view object_path) {
  const std::string_view name = object_path.substr(folder_of(object_path).size());
  while (!playlist.empty()) {
    std::string_view line = playlist.substr(0, playlist.find('\n'));
    playlist.remove_prefix(std::min(playlist.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == name) return true;
  }
  return false;
}

}  // namespace reelway::edge
