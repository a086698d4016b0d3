#include "edge/policy/tags.h"

#include <algorithm>
#include <string_view>

namespace reelway::edge {
namespace {

void add(Tags& tags, std::string_view tag) {
  if (tag.empty() || std::find(tags.tags.begin(), tags.tags.end(), tag) != tags.tags.end()) return;
  if (tags.tags.size() == kTagsMax || tag.size() > kTagBytesMax) {
    tags.too_many = true;
    return;
  }
  tags.tags.emplace_back(tag);
}

void add_all(Tags& tags, std::string_view list, std::string_view separators) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(separators), list.size());
    add(tags, http::trimmed(list.substr(0, end)));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

}  // namespace

Tags tags_of(const http::HeaderList& response) {
  Tags tags;
  for (const http::Header& header : response) {
    if (http::names_equal(header.name, "Surrogate-Key")) {
      add_all(tags, header.value, " \t");
    } else if (http::names_equal(header.name, "Cache-Tag")) {
      add_all(tags, header.value, ",");
    }
  }
  return tags;
}

}  // namespace reelway::edge
