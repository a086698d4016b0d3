#include "edge/policy/cache_key.h"

namespace reelway::edge {

std::string cache_key(std::string_view object_path, std::string_view view) {
  std::string key;
  key.reserve(object_path.size() + 1 + view.size());
  key.append(object_path).append("|").append(view);
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
