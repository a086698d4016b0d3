#include "common/access/view.h"

#include <algorithm>
#include <charconv>

#include "common/access/play_path.h"

namespace reelway::access {
namespace {

constexpr std::string_view kAll = "all";

Error invalid(std::string detail) {
  return {ErrorCode::config_value_invalid, Side::client, false, std::move(detail)};
}

// "en" of "/title/v1/audio/en-aac/3.m4s"; likewise for subtitles. Nothing for paths that have no language.
std::optional<std::string_view> path_language(std::string_view object_path) {
  std::string_view rest = object_path;
  for (int segment = 0; segment < 2; ++segment) {  // title and version, each after its slash
    const auto slash = rest.find('/', 1);
    if (slash == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(slash);
  }
  for (const std::string_view kind : {"/audio/", "/subtitles/"}) {
    if (!rest.starts_with(kind)) continue;
    const std::string_view name = rest.substr(kind.size());
    return name.substr(0, name.find_first_of("-/"));
  }
  return std::nullopt;
}

std::optional<std::uint16_t> parse_height(std::string_view text) {
  if (!text.starts_with('h') || text.size() < 2 || text[1] == '0') return std::nullopt;
  std::uint16_t height = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), height);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return height;
}

}  // namespace

bool is_language(std::string_view text) {
  // "all" is the text of the view that narrows nothing (and no language of ISO 639).
  return (text.size() == 2 || text.size() == 3) && text != kAll &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

Result<void> check_view(const View& view) {
  if (view.languages.size() > kViewLanguagesMax) return invalid("a view has at most 16 languages");
  for (const std::string& language : view.languages) {
    if (!is_language(language)) return invalid("'" + language + "' is no language: two or three of a-z");
  }
  if (std::adjacent_find(view.languages.begin(), view.languages.end(), std::greater_equal<>()) != view.languages.end())
    return invalid("a view's languages must rise, each once");
  return {};
}

std::string view_id(const View& view) {
  std::string text = view.max_height != 0 ? "h" + std::to_string(view.max_height) : std::string{};
  for (const std::string& language : view.languages) {
    if (!text.empty()) text += '.';
    text += language;
  }
  return text.empty() ? std::string(kAll) : text;
}

std::optional<View> parse_view_id(std::string_view text) {
  View view;
  if (text == kAll) return view;
  bool first = true;
  for (std::string_view rest = text; first || !rest.empty(); first = false) {
    const auto dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
    if (const auto height = first ? parse_height(part) : std::nullopt) {
      view.max_height = *height;
    } else {
      view.languages.emplace_back(part);
    }
  }
  // One view has one text.
  if (!check_view(view) || view_id(view) != text) return std::nullopt;
  return view;
}

bool varies_by_view(std::string_view object_path) {
  return object_path.ends_with("/master.m3u8");
}

Result<void> check_path_in_view(const View& view, std::string_view object_path) {
  if (view.max_height != 0) {
    const auto height = path_height(object_path);
    if (height && *height > view.max_height) {
      return Error{ErrorCode::rendition_not_in_offer, Side::client, false,
                   std::to_string(*height) + " lines; at most " + std::to_string(view.max_height) + " were rented"};
    }
  }
  if (!view.languages.empty()) {
    const auto language = path_language(object_path);
    if (language && std::find(view.languages.begin(), view.languages.end(), *language) == view.languages.end()) {
      return Error{ErrorCode::language_not_in_offer, Side::client, false, std::string(*language)};
    }
  }
  return {};
}

}  // namespace reelway::access
