#include "edge/policy/cache_key.h"

namespace reelway::edge {

std::string cache_key(std::string_view object_path, std::string_view view) {
  std::string key;
  key.reserve(object_path.size() + 1 + view.size());
  key.append(object_path).append("|").append(view);
  return key;
}

}  // namespace reelway::edge
