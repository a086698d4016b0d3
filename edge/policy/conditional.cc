#include "edge/policy/conditional.h"

namespace reelway::edge {
namespace {

std::string_view without_weakness(std::string_view etag) {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes the next member off a list of entity tags. A tag may hold a comma between its quotes.
std::string_view next_tag(std::string_view& list) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < list.size() && (quoted || list[at] != ','); ++at) {
    if (list[at] == '"') quoted = !quoted;
  }
  const std::string_view tag = trim(list.substr(0, at));
  list.remove_prefix(at < list.size() ? at + 1 : at);
  return tag;
}

}  // namespace

bool none_match_holds_copy(std::string_view if_none_match, std::string_view etag) {
  if (trim(if_none_match) == "*") return true;
  if (etag.empty()) return false;
  while (!if_none_match.empty()) {
    const std::string_view tag = next_tag(if_none_match);
    if (!tag.empty() && without_weakness(tag) == without_weakness(etag)) return true;
  }
  return false;
}

bool range_may_apply(std::optional<std::string_view> if_range, std::string_view etag, std::string_view last_modified) {
  if (!if_range) return true;
  if (if_range->starts_with("W/")) return false;
  if (if_range->starts_with('"')) return !etag.empty() && *if_range == etag;
  return !last_modified.empty() && *if_range == last_modified;
}

}  // namespace reelway::edge
