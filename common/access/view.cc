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

// The language of a rendition's folder: "en" of "/audio/en-aac/3.m4s". Nothing for other folders.
std::optional<std::string_view> folder_language(std::string_view path) {
  for (const std::string_view kind : {"/audio/", "/subtitles/"}) {
    if (!path.starts_with(kind)) continue;
    const std::string_view name = path.substr(kind.size());
    return name.substr(0, name.find_first_of("-/"));
  }
  return std::nullopt;
}

// "en" of "/title/v1/audio/en-aac/3.m4s" and of "/title/v1/ts/audio/en-aac/3.ts"; likewise for subtitles. Nothing for
// paths that have no language.
std::optional<std::string_view> path_language(std::string_view object_path) {
  std::string_view rest = object_path;
  for (int segment = 0; segment < 4; ++segment) {  // title, version, and a clip and a packaging that there may be
    const auto slash = rest.find('/', 1);
    if (slash == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(slash);
    if (segment == 0) continue;
    if (const auto language = folder_language(rest)) return language;
  }
  return std::nullopt;
}

// A letter and a number above 0.
template <class Number>
std::optional<Number> parse_numbered(char letter, std::string_view text) {
  if (!text.starts_with(letter) || text.size() < 2 || text[1] == '0') return std::nullopt;
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Clip> parse_clip_part(std::string_view text) {
  return text.starts_with('c') ? parse_clip(text.substr(1)) : std::nullopt;
}

// "v2" of "/title/v2/master.m3u8".
std::string_view path_version(std::string_view object_path) {
  const auto slash = object_path.find('/', 1);
  if (slash == std::string_view::npos) return {};
  const std::string_view rest = object_path.substr(slash + 1);
  return rest.substr(0, rest.find('/'));
}

}  // namespace

bool is_language(std::string_view text) {
  // "all" is the text of the view that narrows nothing (and no language of ISO 639).
  return (text.size() == 2 || text.size() == 3) && text != kAll &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

Result<void> check_view(const View& view) {
  if (!view.clip.is_sound()) return invalid("a clip ends after it begins");
  if (view.languages.size() > kViewLanguagesMax) return invalid("a view has at most 16 languages");
  for (const std::string& language : view.languages) {
    if (!is_language(language)) return invalid("'" + language + "' is no language: two or three of a-z");
  }
  if (std::adjacent_find(view.languages.begin(), view.languages.end(), std::greater_equal<>()) != view.languages.end())
    return invalid("a view's languages must rise, each once");
  return {};
}

std::string view_id(const View& view) {
  std::string text;
  const auto add = [&text](const std::string& part) { text.append(text.empty() ? "" : ".").append(part); };
  if (view.preview != 0) add("p" + std::to_string(view.preview));
  if (!view.clip.is_whole_film()) add("c" + clip_text(view.clip));
  if (view.max_height != 0) add("h" + std::to_string(view.max_height));
  for (const std::string& language : view.languages) add(language);
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
    if (const auto preview = parse_numbered<std::uint32_t>('p', part); preview && view == View{}) {
      view.preview = *preview;
    } else if (const auto clip = parse_clip_part(part); clip && view.clip.is_whole_film()) {
      view.clip = *clip;
    } else if (const auto height = parse_numbered<std::uint16_t>('h', part); height && view.max_height == 0) {
      view.max_height = *height;
    } else {
      view.languages.emplace_back(part);
    }
  }
  // One view has one text.
  if (!check_view(view) || view_id(view) != text) return std::nullopt;
  return view;
}

bool varies_by_view(const View& view, std::string_view object_path) {
  return view.preview != 0 || object_path.ends_with("/master.m3u8") || object_path.ends_with("/manifest.mpd");
}

Result<void> check_path_in_view(const View& view, std::string_view object_path) {
  if (view.preview != 0 && path_version(object_path) != "v" + std::to_string(view.preview)) {
    return Error{ErrorCode::token_other_title, Side::client, false,
                 "it is for version v" + std::to_string(view.preview) + " only"};
  }
  if (const Clip clip = path_clip(object_path).value_or(Clip{}); clip != view.clip) {
    const std::string wanted =
        view.clip.is_whole_film() ? "the film, not a clip of it" : "clip " + clip_text(view.clip);
    return Error{ErrorCode::rendition_not_in_offer, Side::client, false, "it is for " + wanted};
  }
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
