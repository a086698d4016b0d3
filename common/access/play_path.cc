#include "common/access/play_path.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace reelway::access {
namespace {

constexpr std::string_view kPrefix = "/t/";
constexpr std::size_t kTitleBytesMax = 63;
constexpr std::size_t kObjectPathBytesMax = 1024;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_unreserved(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' || c == '~';
}

bool is_segment(std::string_view text) {
  return !text.empty() && text != "." && text != ".." && std::all_of(text.begin(), text.end(), is_unreserved);
}

// Takes what stands before the next '/' off the front of `rest`, with that '/'. Nothing when there is no '/'.
std::optional<std::string_view> take_segment(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view segment = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  return segment;
}

bool is_resource(std::string_view rest) {
  while (const auto segment = take_segment(rest)) {
    if (!is_segment(*segment)) return false;
  }
  return is_segment(rest);
}

// A plain decimal number without sign or leading zero, so that each number has one spelling.
std::optional<std::uint32_t> parse_number(std::string_view text) {
  if (text.empty() || text.front() == '0') return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// What follows "/<title>/<version>/".
std::optional<std::string_view> below_version(std::string_view object_path) {
  if (!object_path.starts_with('/')) return std::nullopt;
  object_path.remove_prefix(1);
  if (!take_segment(object_path) || !take_segment(object_path)) return std::nullopt;
  return object_path;
}

Error not_found(std::string detail) {
  return {ErrorCode::http_not_found, Side::client, false, std::move(detail)};
}

}  // namespace

Result<PlayPath> parse_play_path(std::string_view path) {
  std::string_view rest = path;
  if (!rest.starts_with(kPrefix)) {
    return Error{ErrorCode::token_missing, Side::client, false, "the path does not begin with /t/<token>/"};
  }
  rest.remove_prefix(kPrefix.size());
  const auto token = take_segment(rest);
  if (!token || token->empty()) {
    return Error{ErrorCode::token_missing, Side::client, false, "no token between /t/ and the next '/'"};
  }
  if (rest.size() > kObjectPathBytesMax) return not_found("the path after the token is over 1024 bytes");
  const std::string_view object_path{rest.data() - 1, rest.size() + 1};
  const auto title = take_segment(rest);
  if (!title || !is_title_id(*title)) return not_found("no title id after the token");
  const auto version = take_segment(rest);
  if (!version || !parse_version(*version)) return not_found("no version such as v1 after the title");
  if (!is_resource(rest)) return not_found("no plain path after the version");
  return PlayPath{*token, *title, *version, object_path};
}

std::optional<HeartbeatPath> parse_heartbeat_path(std::string_view path) {
  if (!path.starts_with(kPrefix)) return std::nullopt;
  std::string_view rest = path.substr(kPrefix.size());
  const auto token = take_segment(rest);
  const auto title = take_segment(rest);
  if (!token || token->empty() || !title || !is_title_id(*title) || rest != "heartbeat") return std::nullopt;
  return HeartbeatPath{*token, *title};
}

bool is_title_id(std::string_view text) {
  return !text.empty() && text.size() <= kTitleBytesMax && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

std::optional<std::uint32_t> parse_version(std::string_view text) {
  if (!text.starts_with('v')) return std::nullopt;
  return parse_number(text.substr(1));
}

std::optional<std::uint32_t> path_height(std::string_view object_path) {
  auto rest = below_version(object_path);
  if (!rest) return std::nullopt;
  // A clip's folder and a packaging's may come first: "clip-0-60/ts/video/720/0.ts".
  auto kind = take_segment(*rest);
  for (int folder = 0; folder < 2 && kind && *kind != "video"; ++folder) kind = take_segment(*rest);
  const auto rendition = take_segment(*rest);
  if (!kind || *kind != "video" || !rendition) return std::nullopt;
  const std::size_t dash = rendition->find('-');
  if (dash != std::string_view::npos && !parse_number(rendition->substr(dash + 1))) return std::nullopt;
  return parse_number(rendition->substr(0, dash));
}

std::optional<Clip> path_clip(std::string_view object_path) {
  auto rest = below_version(object_path);
  const auto folder = rest ? take_segment(*rest) : std::nullopt;
  return folder ? clip_of_folder(*folder) : std::nullopt;
}

}  // namespace reelway::access
