#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "origin/text/read_text.h"
#include "origin/text/text_lines.h"

// Model: a line of times begins a subtitle and whatever follows, up to an empty line or the next line of times, is its
// text; the number before it says nothing. The text is HTML-like by custom only, so each '<' is looked at: a tag that
// WebVTT has too is written as WebVTT has it, a tag of HTML that it has not goes, and everything else is text, escaped.

namespace reelway::origin::text {
namespace {

struct Colour {
  std::string_view name;  // as WebVTT's class
  std::string_view hex;
};
// The classes that every reader of WebVTT colours by itself (WebVTT section 5.1.1).
constexpr std::array kColours{Colour{"white", "ffffff"}, Colour{"lime", "00ff00"},   Colour{"cyan", "00ffff"},
                              Colour{"red", "ff0000"},   Colour{"yellow", "ffff00"}, Colour{"magenta", "ff00ff"},
                              Colour{"blue", "0000ff"},  Colour{"black", "000000"}};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool is_letter(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}

// WebVTT's class of <font color="#FFFF00">; nothing when there is none.
std::string_view colour_class(std::string_view attributes) {
  const std::string text = lowered(attributes);
  const std::size_t at = text.find("color=");
  if (at == std::string::npos) return {};
  std::string_view value = std::string_view(text).substr(at + 6);
  while (!value.empty() && (value[0] == '"' || value[0] == '\'' || value[0] == '#')) value.remove_prefix(1);
  value = value.substr(0, value.find_first_of("\"' "));
  for (const Colour& colour : kColours) {
    if (value == colour.name || value == colour.hex) return colour.name;
  }
  return {};
}

// What a place on the keys of a number pad ({\an1} to {\an9}) is in WebVTT; empty for the usual one, 2.
std::string settings_of_place(char key) {
  const int place = key - '1';
  std::string settings;
  const auto add = [&settings](std::string_view more) { settings.append(settings.empty() ? "" : " ").append(more); };
  if (place / 3 == 2) add("line:0");
  if (place / 3 == 1) add("line:50%,center");
  if (place % 3 == 0) add("position:0%,line-left align:left");
  if (place % 3 == 2) add("position:100%,line-right align:right");
  return settings;
}

// One subtitle's text, from a vendor's into WebVTT's.
class TextWriter {
 public:
  void add_line(std::string_view line) {
    if (!out_.empty()) out_ += '\n';
    while (!line.empty()) {
      const std::size_t taken = line[0] == '<' ? take_tag(line) : line[0] == '{' ? take_code(line) : 0;
      line.remove_prefix(taken != 0 ? taken : take_character(line));
    }
  }
  const std::string& text() const { return out_; }
  const std::string& settings() const { return settings_; }

 private:
  // 0: it is no tag.
  std::size_t take_tag(std::string_view line) {
    const std::size_t end = line.find('>');
    if (end == std::string_view::npos) return 0;
    std::string_view inside = line.substr(1, end - 1);
    const bool closes = inside.starts_with('/');
    if (closes) inside.remove_prefix(1);
    const auto name_end = std::find_if_not(inside.begin(), inside.end(), is_letter);
    const std::string name = lowered({inside.begin(), name_end});
    const std::string_view rest(name_end, inside.end());
    if (name.empty() || !(rest.empty() || rest[0] == ' ' || rest[0] == '/')) return 0;
    if (name == "i" || name == "b" || name == "u") {
      out_.append(closes ? "</" : "<").append(name).append(">");
    } else if (name == "br") {
      out_ += '\n';
    } else if (name == "font") {
      write_colour(closes, rest);
    } else if (name != "s" && name != "span" && name != "p" && name != "em" && name != "strong") {
      return 0;
    }
    return end + 1;
  }

  void write_colour(bool closes, std::string_view attributes) {
    if (closes) {
      if (fonts_ == 0) return;
      if ((coloured_ >> --fonts_ & 1) != 0) out_ += "</c>";
      return;
    }
    constexpr unsigned kNestedMax = 31;
    if (fonts_ == kNestedMax) return;
    const std::string_view name = colour_class(attributes);
    coloured_ = (coloured_ & ~(1u << fonts_)) | (name.empty() ? 0u : 1u << fonts_);
    ++fonts_;
    if (!name.empty()) out_.append("<c.").append(name).append(">");
  }

  // "{\an8}" and its like; 0: it is text.
  std::size_t take_code(std::string_view line) {
    const std::size_t end = line.find('}');
    if (!line.starts_with("{\\") || end == std::string_view::npos) return 0;
    const std::string_view code = line.substr(2, end - 2);
    const std::size_t place = code.find("an");
    if (place != std::string_view::npos && place + 2 < code.size() && settings_.empty()) {
      const char key = code[place + 2];
      if (key >= '1' && key <= '9') settings_ = settings_of_place(key);
    }
    return end + 1;
  }

  std::size_t take_character(std::string_view line) {
    constexpr std::array<std::string_view, 6> kEntities{"&amp;", "&lt;", "&gt;", "&nbsp;", "&lrm;", "&rlm;"};
    if (line[0] == '&') {
      for (const std::string_view entity : kEntities) {
        if (!line.starts_with(entity)) continue;
        out_ += entity;
        return entity.size();
      }
      out_ += "&amp;";
    } else if (line[0] == '<') {
      out_ += "&lt;";
    } else if (line[0] == '>') {
      out_ += "&gt;";
    } else {
      out_ += line[0];
    }
    return 1;
  }

  std::string out_;
  std::string settings_;
  unsigned fonts_ = 0;     // open ones
  unsigned coloured_ = 0;  // a bit for each, set when it has a class
};

bool is_number(std::string_view line) {
  return !line.empty() && std::all_of(line.begin(), line.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class SrtReader {
 public:
  explicit SrtReader(std::string_view text) : lines_(text) {}

  Result<TextSheet> read() {
    for (; !lines_.at_end();) {
      if (has_arrow(lines_.line()))
        REELWAY_TRY(read_cue());
      else
        lines_.next();
    }
    if (sheet_.size() == 0) return malformed("there is no subtitle in the file");
    sheet_.sort();
    return std::move(sheet_);
  }

 private:
  Result<void> read_cue() {
    const auto times = parse_time_line(lines_.line());
    if (!times) return malformed("line " + std::to_string(lines_.number()) + " has no times of a subtitle");
    lines_.next();
    std::vector<std::string_view> lines;
    for (; !lines_.at_end() && !trimmed(lines_.line()).empty() && !has_arrow(lines_.line()); lines_.next()) {
      if (lines.size() == kCuesMax) return malformed("a subtitle has more than 50,000 lines");
      lines.push_back(trimmed(lines_.line()));
    }
    // Without an empty line between, the next one's number stands at the end of this one.
    const bool runs_on = !lines_.at_end() && has_arrow(lines_.line());
    if (runs_on && !lines.empty() && is_number(lines.back())) lines.pop_back();
    TextWriter writer;
    for (const std::string_view line : lines) writer.add_line(line);
    if (is_blank(writer.text()) || times->from_ms >= times->to_ms) return {};
    return sheet_.add({times->from_ms, times->to_ms, {}, writer.settings(), without_empty_lines(writer.text())});
  }

  static bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\n") == std::string_view::npos; }

  // An empty line would end the subtitle in WebVTT.
  static std::string without_empty_lines(std::string_view text) {
    std::string kept;
    for (TextLines lines(text); !lines.at_end(); lines.next()) {
      if (!trimmed(lines.line()).empty()) kept.append(kept.empty() ? "" : "\n").append(lines.line());
    }
    return kept;
  }

  TextLines lines_;
  TextSheet sheet_;
};

}  // namespace

Result<TextSheet> read_srt(std::string_view file) {
  const Result<std::string_view> text = plain_text(file);
  if (!text.ok()) return text.error();
  return SrtReader(*text).read();
}

}  // namespace reelway::origin::text
