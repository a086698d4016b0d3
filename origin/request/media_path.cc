#include "origin/request/media_path.h"

#include "common/access/play_path.h"

namespace reelway::origin {
namespace {

// The part before the next slash, which is taken off with it.
std::string_view take_segment(std::string_view& rest) {
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return {};
  const std::string_view segment = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  return segment;
}

}  // namespace

Result<MediaPath> parse_media_path(std::string_view path) {
  std::string_view rest = path.starts_with('/') ? path.substr(1) : std::string_view{};
  MediaPath parts;
  parts.title = take_segment(rest);
  parts.version = take_segment(rest);
  parts.resource = rest;
  if (access::is_title_id(parts.title) && access::parse_version(parts.version) && !rest.empty()) return parts;
  Error error;
  error.code = ErrorCode::http_not_found;
  error.side = Side::client;
  error.detail = "expected /<title>/<version>/<resource>";
  return error;
}

}  // namespace reelway::origin
