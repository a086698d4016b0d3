#include "origin/text/ttml_style.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace reelway::origin::text {
namespace {

constexpr std::array<std::string_view, 9> kKnown{"fontStyle", "fontWeight", "textDecoration", "color",      "textAlign",
                                                 "origin",    "extent",     "displayAlign",   "writingMode"};

std::string_view next_word(std::string_view& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return text = {};
  text.remove_prefix(begin);
  const std::string_view word = text.substr(0, text.find_first_of(" \t\r\n"));
  text.remove_prefix(word.size());
  return word;
}

struct Percents {
  double x = 0, y = 0;
};
// "10% 80%"; nothing in other units.
std::optional<Percents> parse_percents(std::string_view text) {
  const auto one = [&]() -> std::optional<double> {
    const std::string_view word = next_word(text);
    double value = 0;
    const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (failure != std::errc() || end == word.data() || std::string_view(end, word.data() + word.size()) != "%") {
      return std::nullopt;
    }
    if (!(value >= 0 && value <= 100)) return std::nullopt;
    return value;
  };
  const auto x = one(), y = one();
  if (!x || !y) return std::nullopt;
  return Percents{*x, *y};
}

std::string percent(double value) {
  return std::to_string(std::lround(value)) + "%";
}

// Where lines stand from top to bottom. What is in the lowest quarter is where WebVTT has subtitles anyway.
std::string line_setting(const TtmlStyle& region, Percents origin, Percents extent) {
  const std::string_view align = region.value("displayAlign");
  constexpr double kTop = 20, kLow = 75;
  if (align == "after") return origin.y + extent.y > kLow ? "" : "line:" + percent(origin.y + extent.y) + ",end";
  if (align == "center") {
    const double middle = origin.y + extent.y / 2;
    return middle > kLow ? "" : "line:" + percent(middle) + ",center";
  }
  if (origin.y > kLow) return "";
  return origin.y < kTop ? "line:0" : "line:" + percent(origin.y);
}

}  // namespace

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string_view attribute_of(pugi::xml_node element, std::string_view name) {
  for (const pugi::xml_attribute attribute : element.attributes()) {
    if (local_name(attribute.name()) == name) return attribute.value();
  }
  return {};
}

std::string_view TtmlStyle::value(std::string_view name) const {
  const auto place = values.find(name);
  return place == values.end() ? std::string_view{} : std::string_view(place->second);
}

TtmlStyles::TtmlStyles(pugi::xml_node head) {
  for (const pugi::xml_node group : head.children()) {
    const bool is_layout = local_name(group.name()) == "layout";
    for (const pugi::xml_node element : group.children()) {
      const std::string_view id = attribute_of(element, "id");
      if (!id.empty()) (is_layout ? regions_ : styles_).emplace(id, element);
    }
  }
}

TtmlStyle TtmlStyles::of(pugi::xml_node element) const {
  TtmlStyle style;
  collect(element, 0, style);
  return style;
}

void TtmlStyles::collect(pugi::xml_node element, int depth, TtmlStyle& style) const {
  if (depth == kDepthMax) return;  // styles that refer to one another in a ring, too
  std::string_view references = attribute_of(element, "style");
  constexpr int kReferencesMax = 16;
  int count = 0;
  for (auto id = next_word(references); !id.empty() && count < kReferencesMax; id = next_word(references), ++count) {
    if (const auto place = styles_.find(id); place != styles_.end()) collect(place->second, depth + 1, style);
  }
  // A region may have its styles within.
  for (const pugi::xml_node child : element.children()) {
    if (local_name(element.name()) == "region" && local_name(child.name()) == "style") collect(child, depth + 1, style);
  }
  for (const std::string_view name : kKnown) {
    if (const std::string_view value = attribute_of(element, name); !value.empty())
      style.values[std::string(name)] = value;
  }
}

std::string TtmlStyles::settings(std::string_view region, const TtmlStyle& style) const {
  TtmlStyle place;
  if (const auto found = regions_.find(region); found != regions_.end()) place = of(found->second);
  std::string settings;
  const auto add = [&settings](const std::string& more) {
    if (!more.empty()) settings.append(settings.empty() ? "" : " ").append(more);
  };
  if (place.value("writingMode").starts_with("tbrl")) add("vertical:rl");
  const auto origin = parse_percents(place.value("origin")), extent = parse_percents(place.value("extent"));
  if (origin && extent) add(line_setting(place, *origin, *extent));
  const std::string_view own = style.value("textAlign");
  const std::string_view align = own.empty() ? place.value("textAlign") : own;
  if (align == "left" || align == "right" || align == "end") {
    const bool is_left = align == "left";
    if (origin && extent) {
      const double x = is_left ? origin->x : std::min(100.0, origin->x + extent->x);
      add("position:" + percent(x) + (is_left ? ",line-left" : ",line-right"));
    }
    add("align:" + std::string(align));
  } else if (align == "start") {
    if (origin) add("position:" + percent(origin->x) + ",line-left");
    add("align:start");
  }
  return settings;
}

}  // namespace reelway::origin::text
