#include "edge/policy/cache_key.h"

#include <algorithm>
#include <array>

#include "common/http/gzip.h"

namespace reelway::edge {
namespace {

constexpr std::array<std::string_view, 5> kTexts = {".m3u8", ".mpd", ".vtt", ".ttml", ".json"};
constexpr std::string_view kGzip = "|gzip";

}  // namespace

bool has_codings(std::string_view object_path) {
  return std::any_of(kTexts.begin(), kTexts.end(),
                     [object_path](std::string_view suffix) { return object_path.ends_with(suffix); });
}

Coding coding_for(std::string_view object_path, const std::optional<std::string>& accept_encoding) {
  const bool packed = has_codings(object_path) && accept_encoding && http::accepts_gzip(*accept_encoding);
  return packed ? Coding::gzip : Coding::identity;
}

std::string cache_key(std::string_view object_path, std::string_view view, Coding coding) {
  std::string key;
  key.reserve(object_path.size() + 1 + view.size() + kGzip.size());
  key.append(object_path).append("|").append(view);
  if (coding == Coding::gzip) key.append(kGzip);
  return key;
}

std::string site_cache_key(std::string_view host, std::string_view target) {
  std::string key;
  key.reserve(2 + host.size() + 1 + target.size());
  key.append("s|");
  for (char c : host) key += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  key.append("|").append(target);
  return key;
}

}  // namespace reelway::edge
