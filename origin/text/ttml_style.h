#pragma once

#include <map>
#include <pugixml.hpp>
#include <string>
#include <string_view>

namespace reelway::origin::text {

// The name of an element or attribute without its prefix.
std::string_view local_name(std::string_view name);
// An attribute by its local name; empty when it is absent.
std::string_view attribute_of(pugi::xml_node element, std::string_view name);

// The attributes of TTML (TTML2 section 10.2) that WebVTT can show, as the document has them.
struct TtmlStyle {
  std::map<std::string, std::string, std::less<>> values;  // by local name
  std::string_view value(std::string_view name) const;
};

// A document's styles and regions, by their identifiers.
class TtmlStyles {
 public:
  explicit TtmlStyles(pugi::xml_node head);

  // What an element says of itself: its references first, then its own attributes over them.
  TtmlStyle of(pugi::xml_node element) const;
  // WebVTT's settings for what stands in this region, aligned so; empty where WebVTT puts subtitles by itself.
  std::string settings(std::string_view region, const TtmlStyle& style) const;

 private:
  static constexpr int kDepthMax = 8;
  void collect(pugi::xml_node element, int depth, TtmlStyle& style) const;

  std::map<std::string, pugi::xml_node, std::less<>> styles_;
  std::map<std::string, pugi::xml_node, std::less<>> regions_;
};

}  // namespace reelway::origin::text
