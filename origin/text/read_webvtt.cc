#include <algorithm>
#include <array>
#include <string>

#include "origin/text/read_text.h"
#include "origin/text/text_lines.h"

// Model: blocks of lines between empty ones. A block is a header's, a comment, a style or a region, or a cue; a line of
// times begins a cue wherever it stands, as browsers have it, and the line before it in the same block is its
// identifier. Styles and regions count only before the first cue.

namespace reelway::origin::text {
namespace {

constexpr std::array<std::string_view, 6> kSettings{"vertical", "line", "position", "size", "align", "region"};

// The settings that WebVTT has, each once, one blank between them.
std::string known_settings(std::string_view text) {
  std::string kept;
  std::array<bool, kSettings.size()> seen{};
  while (!(text = trimmed(text)).empty()) {
    const std::string_view word = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(word.size());
    const std::size_t colon = word.find(':');
    if (colon == std::string_view::npos || colon + 1 == word.size()) continue;
    const auto name = std::find(kSettings.begin(), kSettings.end(), word.substr(0, colon));
    if (name == kSettings.end()) continue;
    bool& is_taken = seen[static_cast<std::size_t>(name - kSettings.begin())];
    if (is_taken) continue;
    is_taken = true;
    kept.append(kept.empty() ? "" : " ").append(word);
  }
  return kept;
}

bool is_block(std::string_view line, std::string_view name) {
  return line.starts_with(name) &&
         (line.size() == name.size() || line[name.size()] == ' ' || line[name.size()] == '\t');
}

class WebvttReader {
 public:
  explicit WebvttReader(std::string_view text) : lines_(text) {}

  Result<TextSheet> read() {
    skip_block();  // the header's: there is one
    while (!lines_.at_end()) {
      const std::string_view line = trimmed(lines_.line());
      if (line.empty())
        lines_.next();
      else if (is_block(line, "NOTE"))
        skip_block();
      else if (sheet_.size() == 0 && (is_block(line, "STYLE") || is_block(line, "REGION")))
        keep_block();
      else
        REELWAY_TRY(read_cue());
    }
    if (sheet_.size() == 0) return malformed("there is no subtitle in the file");
    REELWAY_TRY(sheet_.set_head(std::move(head_)));
    sheet_.sort();
    return std::move(sheet_);
  }

 private:
  bool in_block() const { return !lines_.at_end() && !trimmed(lines_.line()).empty(); }

  // A line of times ends it, too, unless it is the first: a comment may not hold one.
  void skip_block() {
    do {
      lines_.next();
    } while (in_block() && !has_arrow(lines_.line()));
  }

  void keep_block() {
    if (has_arrow(lines_.line())) return skip_block();
    if (!head_.empty()) head_ += "\n";
    for (; in_block() && !has_arrow(lines_.line()); lines_.next()) head_.append(lines_.line()).append("\n");
  }

  Result<void> read_cue() {
    std::string_view id;
    for (; in_block() && !has_arrow(lines_.line()); lines_.next()) id = trimmed(lines_.line());
    if (!in_block()) return {};  // a block of nothing known
    // Under such a name it would be another kind of block when it is read again.
    for (const std::string_view other : {"NOTE", "STYLE", "REGION"}) id = is_block(id, other) ? std::string_view{} : id;
    const auto times = parse_time_line(lines_.line());
    if (!times) return malformed("line " + std::to_string(lines_.number()) + " has no times of a subtitle");
    lines_.next();
    std::string payload;
    for (; in_block() && !has_arrow(lines_.line()); lines_.next()) {
      payload.append(payload.empty() ? "" : "\n").append(lines_.line());
    }
    if (payload.empty() || times->from_ms >= times->to_ms) return {};
    return sheet_.add({times->from_ms, times->to_ms, id, known_settings(times->settings), payload});
  }

  TextLines lines_;
  TextSheet sheet_;
  std::string head_;
};

}  // namespace

Result<TextSheet> read_webvtt(std::string_view file) {
  const Result<std::string_view> text = plain_text(file);
  if (!text.ok()) return text.error();
  if (!is_block(TextLines(*text).at_end() ? "" : TextLines(*text).line(), "WEBVTT")) {
    return malformed("line 1 is not WEBVTT");
  }
  return WebvttReader(*text).read();
}

FileFormat format_of(std::string_view file) {
  if (file.starts_with("\xEF\xBB\xBF")) file.remove_prefix(3);
  if (file.starts_with("WEBVTT")) return FileFormat::webvtt;
  const std::size_t first = file.find_first_not_of(" \t\r\n");
  const bool is_xml = first != std::string_view::npos && file[first] == '<';
  return is_xml ? FileFormat::ttml : FileFormat::srt;
}

Result<TextSheet> read_text(std::string_view file) {
  switch (format_of(file)) {
    case FileFormat::webvtt: return read_webvtt(file);
    case FileFormat::ttml: return read_ttml(file);
    case FileFormat::srt: break;
  }
  return read_srt(file);
}

}  // namespace reelway::origin::text
