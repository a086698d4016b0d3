#include "edge/policy/conditional.h"

#include "common/http/date.h"
#include "edge/policy/forward.h"

namespace reelway::edge {
namespace {

std::string_view without_weakness(std::string_view etag) {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

bool is_weak(std::string_view etag) {
  return etag.starts_with("W/");
}

// Takes the next member off a list of entity tags. A tag may hold a comma between its quotes.
std::string_view next_tag(std::string_view& list) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < list.size() && (quoted || list[at] != ','); ++at) {
    if (list[at] == '"') quoted = !quoted;
  }
  const std::string_view tag = http::trimmed(list.substr(0, at));
  list.remove_prefix(at < list.size() ? at + 1 : at);
  return tag;
}

// If-Match (section 13.1.1), by strong comparison.
bool match_holds(std::string_view if_match, std::string_view etag) {
  if (http::trimmed(if_match) == "*") return true;
  while (!if_match.empty()) {
    const std::string_view tag = next_tag(if_match);
    if (!tag.empty() && !is_weak(tag) && tag == etag) return true;
  }
  return false;
}

// When the stored response was last changed, as far as that is known.
std::optional<std::int64_t> modified_s(const Validators& stored) {
  return stored.last_modified.empty() ? std::nullopt : http::parse_date(stored.last_modified);
}

bool origin_preconditions_hold(const http::HeaderList& request, const Validators& stored) {
  if (request.find("If-Match")) return match_holds(joined_values(request, "If-Match"), stored.etag);
  const auto field = request.find("If-Unmodified-Since");
  const auto since_s = field ? http::parse_date(*field) : std::nullopt;
  const auto changed_s = modified_s(stored);
  return !since_s || !changed_s || *changed_s <= *since_s;
}

}  // namespace

bool none_match_holds_copy(std::string_view if_none_match, std::string_view etag) {
  if (http::trimmed(if_none_match) == "*") return true;
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

Precondition evaluate_preconditions(const http::HeaderList& request, const Validators& stored,
                                    PreconditionScope scope) {
  if (scope == PreconditionScope::as_origin && !origin_preconditions_hold(request, stored)) {
    return Precondition::failed;
  }
  if (request.find("If-None-Match")) {
    const std::string tags = joined_values(request, "If-None-Match");
    return none_match_holds_copy(tags, stored.etag) ? Precondition::not_modified : Precondition::proceed;
  }
  const auto field = request.find("If-Modified-Since");
  const auto since_s = field ? http::parse_date(*field) : std::nullopt;
  if (!since_s) return Precondition::proceed;
  const std::int64_t changed_s = modified_s(stored).value_or(stored.date_ms / 1000);
  return changed_s <= *since_s ? Precondition::not_modified : Precondition::proceed;
}

bool is_for_origin_only(const http::HeaderList& request) {
  return request.find("If-Match") || request.find("If-Unmodified-Since");
}

std::string validation_lines(const Validators& stored) {
  std::string lines;
  if (!stored.etag.empty()) lines.append("If-None-Match: ").append(stored.etag).append("\r\n");
  if (!stored.last_modified.empty()) lines.append("If-Modified-Since: ").append(stored.last_modified).append("\r\n");
  return lines;
}

bool confirms_stored(const http::ResponseHead& not_modified, const Validators& stored) {
  if (const auto etag = not_modified.headers.find("ETag")) {
    // A strong tag names the very bytes; a weak one may have become weak on the way.
    return is_weak(*etag) ? without_weakness(*etag) == without_weakness(stored.etag) : *etag == stored.etag;
  }
  const auto last_modified = not_modified.headers.find("Last-Modified");
  return !last_modified || stored.last_modified.empty() || *last_modified == stored.last_modified;
}

}  // namespace reelway::edge
