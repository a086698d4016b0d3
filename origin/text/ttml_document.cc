#include "origin/text/ttml_document.h"

#include <algorithm>
#include <cstdio>
#include <initializer_list>

#include "common/base/check.h"
#include "origin/text/ttml_style.h"

namespace reelway::origin::text {
namespace {

constexpr std::uint64_t kMicro = 1000;  // microseconds of a millisecond

class StringWriter final : public pugi::xml_writer {
 public:
  void write(const void* data, std::size_t size) override { text.append(static_cast<const char*>(data), size); }
  std::string text;
};

void print(pugi::xml_node node, std::string& out) {
  StringWriter writer;
  node.print(writer, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  out += writer.text;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
  }
  return out;
}

// All but those of these local names.
std::string attributes(pugi::xml_node element, std::initializer_list<std::string_view> left_out) {
  std::string out;
  for (const pugi::xml_attribute one : element.attributes()) {
    if (std::find(left_out.begin(), left_out.end(), local_name(one.name())) != left_out.end()) continue;
    out.append(" ").append(one.name()).append("=\"").append(escaped(one.value())).append("\"");
  }
  return out;
}

std::string prefix_of(pugi::xml_node root) {
  const std::string_view name = root.name();
  return std::string(name.substr(0, name.size() - local_name(name).size()));
}

std::string time_text(std::uint32_t ms) {
  char text[24];
  std::snprintf(text, sizeof text, "%02u:%02u:%02u.%03u", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
  return text;
}

}  // namespace

std::string ttml_head(pugi::xml_node root, pugi::xml_node head) {
  // Times are written as clock times of media, whatever the document had.
  std::string out = "<" + std::string(root.name()) + attributes(root, {"timeBase", "dropMode", "markerMode"}) + ">";
  if (!head) return out;
  out.append("<").append(head.name()).append(">");
  for (const pugi::xml_node child : head.children()) {
    const std::string_view name = local_name(child.name());
    if (name == "styling" || name == "layout") print(child, out);
  }
  return out.append("</").append(head.name()).append(">");
}

std::string ttml_container(pugi::xml_node root, pugi::xml_node container) {
  return "<" + prefix_of(root) + "div" + attributes(container, {"begin", "end", "dur", "timeContainer", "id"}) + ">";
}

std::string ttml_paragraph(pugi::xml_node paragraph) {
  std::string out = attributes(paragraph, {"begin", "end", "dur"}) + ">";
  for (const pugi::xml_node child : paragraph.children()) print(child, out);
  return out.append("</").append(paragraph.name()).append(">");
}

std::string write_ttml(const TextSheet& sheet, std::uint64_t from_us, std::uint64_t to_us) {
  CHECK(sheet.form() == Form::ttml);
  const std::string& head = sheet.head();
  const std::string name = head.substr(1, head.find_first_of(" >") - 1);  // "tt:tt"
  const std::string prefix = name.substr(0, name.size() - local_name(name).size());
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + head + "<" + prefix + "body>";
  for (std::size_t i = 0; i < sheet.size(); ++i) {
    const Cue cue = sheet.cue(i);
    if (cue.from_ms * kMicro >= to_us) break;
    if (cue.to_ms * kMicro <= from_us) continue;
    out.append(cue.settings).append("<").append(prefix).append("p begin=\"").append(time_text(cue.from_ms));
    out.append("\" end=\"").append(time_text(cue.to_ms)).append("\"").append(cue.payload);
    // Within attributes it is escaped, so each is a tag.
    const auto open = std::count(cue.settings.begin(), cue.settings.end(), '<');
    for (std::ptrdiff_t n = 0; n < open; ++n) out.append("</").append(prefix).append("div>");
  }
  return out + "</" + prefix + "body></" + name + ">";
}

}  // namespace reelway::origin::text
