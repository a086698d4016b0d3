#include "common/access/clip.h"

#include <charconv>

namespace reelway::access {
namespace {

std::optional<std::uint32_t> parse_unit(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string clip_text(const Clip& clip) {
  return std::to_string(clip.first) + "-" + std::to_string(clip.end);
}

std::optional<Clip> parse_clip(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_unit(text.substr(0, dash));
  const auto end = parse_unit(text.substr(dash + 1));
  if (!first || !end) return std::nullopt;
  const Clip clip{*first, *end};
  if (clip.is_whole_film() || !clip.is_sound()) return std::nullopt;
  return clip;
}

std::optional<Clip> clip_of_folder(std::string_view name) {
  if (!name.starts_with(kClipFolder)) return std::nullopt;
  return parse_clip(name.substr(kClipFolder.size()));
}

}  // namespace reelway::access
