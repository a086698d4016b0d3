#include <algorithm>
#include <charconv>
#include <pugixml.hpp>
#include <string>

#include "origin/text/read_text.h"
#include "origin/text/text_lines.h"
#include "origin/text/ttml_document.h"
#include "origin/text/ttml_style.h"
#include "origin/text/ttml_time.h"

// TTML as IMSC 1.1's text profile has it (W3C), into WebVTT's form. Model: a walk over body, div and p; each narrows
// the time of what it holds, and a p that has a time is a cue, or each of its spans that has one is. Of the styles what
// WebVTT's own tags can say is kept: italics, bold, underlines, the eight colours, ruby, and where the region is.
//
// pugixml expands no entity but XML's own five and reads no external ones, so a hostile file costs its own length; how
// deep elements may lie within each other is bounded here.

namespace reelway::origin::text {
namespace {

constexpr int kDepthMax = 32;
constexpr std::int64_t kNever_ms = INT64_MAX / 4;

struct Span {
  std::int64_t from_ms = 0, to_ms = kNever_ms;
};

std::string place_of(pugi::xml_node element, std::string_view file) {
  const auto offset = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, element.offset_debug()));
  const auto end = file.begin() + static_cast<std::ptrdiff_t>(std::min(offset, file.size()));
  return "line " + std::to_string(1 + std::count(file.begin(), end, '\n'));
}

double number_of(pugi::xml_node element, std::string_view name, double otherwise) {
  const std::string_view text = attribute_of(element, name);
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && value > 0 && value < 1e9 ? value : otherwise;
}

TtmlClock clock_of(pugi::xml_node root) {
  TtmlClock clock;
  clock.frame_rate = number_of(root, "frameRate", clock.frame_rate);
  clock.sub_frames = number_of(root, "subFrameRate", clock.sub_frames);
  const std::string_view multiplier = attribute_of(root, "frameRateMultiplier");
  if (const std::size_t gap = multiplier.find(' '); gap != std::string_view::npos) {
    double above = 0, below = 0;
    std::from_chars(multiplier.data(), multiplier.data() + gap, above);
    std::from_chars(multiplier.data() + gap + 1, multiplier.data() + multiplier.size(), below);
    if (above > 0 && below > 0) clock.frame_rate *= above / below;
  }
  const bool has_frames = !attribute_of(root, "frameRate").empty();
  clock.tick_rate = number_of(root, "tickRate", has_frames ? clock.frame_rate * clock.sub_frames : 1);
  return clock;
}

// The text of one subtitle as WebVTT.
class Payload {
 public:
  explicit Payload(const TtmlStyles& styles) : styles_(styles) {}

  void add(pugi::xml_node element, bool keeps_space, int depth) {
    if (depth == kDepthMax) return;
    const std::string_view space = attribute_of(element, "space");
    if (!space.empty()) keeps_space = space == "preserve";
    const std::string_view ruby = attribute_of(element, "ruby");
    if (ruby == "delimiter") return;
    const std::string closing = open_tags(element, ruby);
    for (const pugi::xml_node child : element.children()) {
      if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
        add_text(child.value(), keeps_space);
      } else if (local_name(child.name()) == "br") {
        while (out_.ends_with(' ')) out_.pop_back();
        out_ += '\n';
      } else if (local_name(child.name()) == "span") {
        add(child, keeps_space, depth + 1);
      }
    }
    out_ += closing;
  }

  // Without blank lines, which would end the subtitle.
  std::string finish() const {
    std::string kept;
    for (TextLines lines(out_); !lines.at_end(); lines.next()) {
      const std::string_view line = trimmed(lines.line());
      if (!line.empty()) kept.append(kept.empty() ? "" : "\n").append(line);
    }
    return has_words_ ? kept : std::string();
  }

 private:
  // What closes them is returned.
  std::string open_tags(pugi::xml_node element, std::string_view ruby) {
    std::string closing;
    const auto open = [&](std::string_view name, std::string_view detail = {}) {
      out_.append("<").append(name).append(detail).append(">");
      closing.insert(0, "</" + std::string(name) + ">");
    };
    if (ruby == "container") open("ruby");
    if (ruby == "text") open("rt");
    const TtmlStyle style = styles_.of(element);
    constexpr std::string_view kColours[][2] = {{"white", "#ffffff"}, {"lime", "#00ff00"},   {"cyan", "#00ffff"},
                                                {"red", "#ff0000"},   {"yellow", "#ffff00"}, {"magenta", "#ff00ff"},
                                                {"blue", "#0000ff"},  {"black", "#000000"}};
    std::string colour(style.value("color").substr(0, 7));
    std::transform(colour.begin(), colour.end(), colour.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    for (const auto& [name, hex] : kColours) {
      const bool is_plain = name == "white";  // what all text is by itself
      if (!is_plain && !colour.empty() && (colour == name || colour == hex)) open("c", "." + std::string(name));
    }
    const std::string_view slant = style.value("fontStyle");
    if (slant == "italic" || slant == "oblique") open("i");
    if (style.value("fontWeight") == "bold") open("b");
    if (style.value("textDecoration") == "underline") open("u");
    return closing;
  }

  void add_text(std::string_view text, bool keeps_space) {
    for (char c : text) {
      if (c == '\r' || c == '\n' || c == '\t') c = ' ';
      const bool is_doubled = out_.empty() || out_.back() == ' ' || out_.back() == '\n';
      if (c == ' ' && !keeps_space && is_doubled) continue;
      if (c != ' ') has_words_ = true;
      if (c == '&')
        out_ += "&amp;";
      else if (c == '<')
        out_ += "&lt;";
      else if (c == '>')
        out_ += "&gt;";
      else
        out_ += c;
    }
  }

  const TtmlStyles& styles_;
  std::string out_;
  bool has_words_ = false;
};

class TtmlReader {
 public:
  TtmlReader(std::string_view file, pugi::xml_node root, pugi::xml_node head)
      : file_(file),
        root_(root),
        clock_(clock_of(root)),
        styles_(head),
        keeps_space_(attribute_of(root, "space") == "preserve") {}

  Result<TtmlSheets> read(pugi::xml_node head, pugi::xml_node body) {
    REELWAY_TRY(sheets_.ttml.set_head(ttml_head(root_, head)));
    REELWAY_TRY(walk(body, {}, {}, {}, 0));
    if (sheets_.webvtt.size() == 0) return malformed("there is no subtitle in the file");
    sheets_.webvtt.sort();
    sheets_.ttml.sort();
    return std::move(sheets_);
  }

 private:
  // The time of an element within that of what holds it.
  Result<Span> span_of(pugi::xml_node element, const Span& outer) const {
    const auto time = [&](std::string_view name, std::int64_t otherwise) -> Result<std::int64_t> {
      const std::string_view text = attribute_of(element, name);
      if (text.empty()) return otherwise;
      if (const auto ms = parse_ttml_time(text, clock_)) return *ms;
      return malformed(place_of(element, file_) + ": " + std::string(name) + "=\"" + std::string(text.substr(0, 40)) +
                       "\" is no time");
    };
    const auto begin = time("begin", 0), end = time("end", kNever_ms), length = time("dur", kNever_ms);
    for (const auto* each : {&begin, &end, &length}) {
      if (!each->ok()) return each->error();
    }
    Span span;
    span.from_ms = outer.from_ms + *begin;
    span.to_ms = std::min({outer.to_ms, outer.from_ms + *end, span.from_ms + *length});
    return span;
  }

  // `open`: the tags of what holds it, as ttml_document.h has them.
  Result<void> walk(pugi::xml_node element, const Span& outer, std::string_view region, const std::string& open,
                    int depth) {
    if (depth == kDepthMax) return malformed(place_of(element, file_) + ": elements lie too deep within each other");
    const Result<Span> found = span_of(element, outer);
    if (!found.ok()) return found.error();
    const std::string_view own = attribute_of(element, "region");
    if (!own.empty()) region = own;
    if (local_name(element.name()) == "p") return add_paragraph(element, *found, region, open);
    Span inner = *found;
    const std::string tags = open + ttml_container(root_, element);
    const bool is_sequence = attribute_of(element, "timeContainer") == "seq";
    for (const pugi::xml_node child : element.children()) {
      const std::string_view name = local_name(child.name());
      if (name != "div" && name != "p") continue;
      REELWAY_TRY(walk(child, inner, region, tags, depth + 1));
      if (!is_sequence) continue;
      const Result<Span> past = span_of(child, inner);
      if (past.ok() && past->to_ms < kNever_ms) inner.from_ms = past->to_ms;
    }
    return {};
  }

  Result<void> add_paragraph(pugi::xml_node paragraph, const Span& span, std::string_view region,
                             const std::string& open) {
    const auto is_timed = [](pugi::xml_node child) {
      return local_name(child.name()) == "span" && !attribute_of(child, "begin").empty();
    };
    const std::size_t before = sheets_.webvtt.size();
    std::int64_t last_ms = 0;  // of its spans
    for (const pugi::xml_node child : paragraph.children()) {
      if (!is_timed(child)) continue;
      const Result<Span> of_child = span_of(child, span);
      if (!of_child.ok()) return of_child.error();
      REELWAY_TRY(add_cue(paragraph, child, *of_child, region));
      last_ms = std::max(last_ms, of_child->to_ms);
    }
    if (last_ms == 0) REELWAY_TRY(add_cue(paragraph, paragraph, span, region));
    if (sheets_.webvtt.size() == before) return {};
    const std::int64_t to_ms = last_ms == 0 ? span.to_ms : std::min(span.to_ms, last_ms);
    return sheets_.ttml.add({static_cast<std::uint32_t>(span.from_ms),
                             static_cast<std::uint32_t>(to_ms),
                             {},
                             open,
                             ttml_paragraph(paragraph)});
  }

  Result<void> add_cue(pugi::xml_node paragraph, pugi::xml_node element, const Span& span, std::string_view region) {
    Payload payload(styles_);
    payload.add(element, keeps_space_, 0);
    const std::string text = payload.finish();
    if (text.empty() || span.from_ms >= span.to_ms) return {};
    if (span.to_ms > UINT32_MAX) return malformed(place_of(element, file_) + ": this subtitle never ends");
    return sheets_.webvtt.add({static_cast<std::uint32_t>(span.from_ms),
                               static_cast<std::uint32_t>(span.to_ms),
                               {},
                               styles_.settings(region, styles_.of(paragraph)),
                               text});
  }

  std::string_view file_;
  pugi::xml_node root_;
  TtmlClock clock_;
  TtmlStyles styles_;
  bool keeps_space_;
  TtmlSheets sheets_{TextSheet(Form::webvtt), TextSheet(Form::ttml)};
};

pugi::xml_node child_of(pugi::xml_node parent, std::string_view name) {
  for (const pugi::xml_node child : parent.children()) {
    if (local_name(child.name()) == name) return child;
  }
  return {};
}

}  // namespace

Result<TextSheet> read_ttml(std::string_view file) {
  Result<TtmlSheets> sheets = read_ttml_sheets(file);
  if (!sheets.ok()) return std::move(sheets).error();
  return std::move(sheets->webvtt);
}

Result<TtmlSheets> read_ttml_sheets(std::string_view file) {
  const Result<std::string_view> text = plain_text(file);
  if (!text.ok()) return text.error();
  pugi::xml_document document;
  constexpr unsigned kParse = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol | pugi::parse_ws_pcdata;
  const pugi::xml_parse_result parsed = document.load_buffer(text->data(), text->size(), kParse, pugi::encoding_utf8);
  if (!parsed) {
    const auto end = text->begin() + std::min<std::ptrdiff_t>(parsed.offset, static_cast<std::ptrdiff_t>(text->size()));
    return malformed("line " + std::to_string(1 + std::count(text->begin(), end, '\n')) +
                     " is no well-formed XML: " + parsed.description());
  }
  const pugi::xml_node root = document.document_element();
  if (local_name(root.name()) != "tt") return malformed("it is XML, but no TTML");
  const pugi::xml_node head = child_of(root, "head");
  return TtmlReader(*text, root, head).read(head, child_of(root, "body"));
}

}  // namespace reelway::origin::text
