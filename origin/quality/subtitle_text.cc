#include "origin/quality/subtitle_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace reelway::origin {
namespace {

constexpr double kWideLength = 42.0 / 16.0;  // as many wide characters fit a line of 42 as 16

Error unreadable(std::string detail) {
  return {ErrorCode::media_unreadable, Side::client, false, std::move(detail)};
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of("\r\n");
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return lines;
}

// One code point from the beginning of a valid text, which loses it.
char32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t point = size == 1 ? first : first & (0x7Fu >> size);
  for (std::size_t i = 1; i < size && i < text.size(); ++i) {
    point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  }
  text.remove_prefix(std::min(size, text.size()));
  return point;
}

bool is_within(char32_t point, char32_t first, char32_t last) {
  return point >= first && point <= last;
}

bool is_wide(char32_t point) {
  return is_within(point, 0x1100, 0x115F) || is_within(point, 0x2E80, 0xA4CF) || is_within(point, 0xAC00, 0xD7A3) ||
         is_within(point, 0xF900, 0xFAFF) || is_within(point, 0xFF00, 0xFF60) || is_within(point, 0x20000, 0x3FFFD);
}

bool is_unseen(char32_t point) {
  return point < 0x20 || is_within(point, 0x0300, 0x036F) || is_within(point, 0x200B, 0x200F) ||
         is_within(point, 0x202A, 0x202E) || is_within(point, 0xFE00, 0xFE0F) || point == 0xFEFF;
}

// "00:01.000 --> 00:02.000 align:start"
bool parse_times(std::string_view line, Cue& cue) {
  const std::size_t arrow = line.find("-->");
  cue.from_s = parse_cue_time(trimmed(line.substr(0, arrow)));
  const std::string_view rest = trimmed(line.substr(arrow + 3));
  cue.to_s = parse_cue_time(rest.substr(0, rest.find_first_of(" \t")));
  return cue.from_s >= 0 && cue.to_s >= 0;
}

bool is_skipped_block(std::string_view line) {
  for (const std::string_view name : {"STYLE", "REGION", "NOTE"}) {
    if (line == name || (name == "NOTE" && line.starts_with("NOTE "))) return true;
  }
  return false;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t more = first < 0x80   ? 0
                             : first < 0xC2 ? 9
                             : first < 0xE0 ? 1
                             : first < 0xF0 ? 2
                             : first < 0xF5 ? 3
                                            : 9;
    if (more == 9 || i + more >= text.size()) return false;
    std::string_view rest = text.substr(i);
    for (std::size_t k = 1; k <= more; ++k) {
      if ((static_cast<unsigned char>(rest[k]) & 0xC0) != 0x80) return false;
    }
    const char32_t point = take_character(rest);
    const bool is_overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
    if (is_overlong || point > 0x10FFFF || is_within(point, 0xD800, 0xDFFF)) return false;
    i += more + 1;
  }
  return true;
}

double parse_cue_time(std::string_view text) {
  const std::size_t point = text.find_first_of(".,");
  if (point == std::string_view::npos || text.size() != point + 4) return -1;
  std::array<std::uint32_t, 3> parts{};  // hours, minutes, seconds
  std::size_t count = 0;
  std::string_view whole = text.substr(0, point);
  std::uint32_t thousandths = 0;
  const auto number = [](std::string_view digits, std::uint32_t& value) {
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return failure == std::errc() && end == digits.data() + digits.size();
  };
  if (!number(text.substr(point + 1), thousandths)) return -1;
  for (bool more = true; more; ++count) {
    if (count == parts.size()) return -1;
    const std::size_t colon = whole.find(':');
    more = colon != std::string_view::npos;
    parts[0] = std::exchange(parts[1], parts[2]);
    if (whole.substr(0, colon).size() > 4 || !number(whole.substr(0, colon), parts[2])) return -1;
    if (more) whole.remove_prefix(colon + 1);
  }
  if (count < 2 || parts[1] > 59 || parts[2] > 59) return -1;
  return parts[0] * 3600.0 + parts[1] * 60.0 + parts[2] + thousandths / 1000.0;
}

Result<Subtitles> parse_subtitles(std::string_view text) {
  if (text.size() > kSubtitleBytesMax) return unreadable("the subtitles have more than 8 MiB");
  if (!is_utf8(text)) return unreadable("the subtitles are not in UTF-8");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Subtitles subtitles;
  const std::vector<std::string_view> lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (is_skipped_block(trimmed(lines[i]))) {
      while (i < lines.size() && !trimmed(lines[i]).empty()) ++i;
      continue;
    }
    if (lines[i].find("-->") == std::string_view::npos) continue;  // a header, a number or an identifier
    ++subtitles.time_lines;
    Cue cue;
    if (!parse_times(lines[i], cue)) continue;
    // A line of times without an empty line before it still begins a cue.
    while (i + 1 < lines.size() && !trimmed(lines[i + 1]).empty() &&
           lines[i + 1].find("-->") == std::string_view::npos) {
      cue.lines.emplace_back(trimmed(lines[++i]));
    }
    if (subtitles.cues.size() == kCuesMax) return unreadable("the subtitles have more than 50,000 cues");
    subtitles.cues.push_back(std::move(cue));
  }
  if (subtitles.cues.empty()) return unreadable("there is no subtitle in the file");
  if (subtitles.cues.size() < subtitles.time_lines) {
    return unreadable(std::to_string(subtitles.time_lines - subtitles.cues.size()) + " of " +
                      std::to_string(subtitles.time_lines) + " lines of times cannot be read");
  }
  return subtitles;
}

std::string seen_text(std::string_view line) {
  std::string seen;
  while (!line.empty()) {
    const char c = line.front();
    const std::size_t end = c == '<' ? line.find('>') : c == '{' && line.starts_with("{\\") ? line.find('}') : 0;
    if (end != 0 && end != std::string_view::npos) {
      line.remove_prefix(end + 1);
      continue;
    }
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kEntities{
        {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&nbsp;", " "}, {"&lrm;", ""}, {"&rlm;", ""}}};
    const auto entity = std::find_if(kEntities.begin(), kEntities.end(),
                                     [&](const auto& known) { return line.starts_with(known.first); });
    if (entity != kEntities.end()) {
      seen += entity->second;
      line.remove_prefix(entity->first.size());
      continue;
    }
    seen += c;
    line.remove_prefix(1);
  }
  return seen;
}

double seen_length(std::string_view line) {
  const std::string seen = seen_text(line);
  double length = 0;
  for (std::string_view rest = seen; !rest.empty();) {
    const char32_t point = take_character(rest);
    if (!is_unseen(point)) length += is_wide(point) ? kWideLength : 1;
  }
  return length;
}

bool has_broken_markup(const Cue& cue) {
  std::vector<std::string> open;
  std::string all;
  for (const std::string& line : cue.lines) all.append(line).append("\n");
  for (std::size_t at = all.find('<'); at != std::string::npos; at = all.find('<', at + 1)) {
    const std::size_t end = all.find('>', at);
    if (end == std::string::npos) return true;
    const bool closes = at + 1 < all.size() && all[at + 1] == '/';
    const std::size_t begin = at + (closes ? 2 : 1);
    const std::string name = all.substr(begin, std::min(all.find_first_of(" .\t", begin), end) - begin);
    // A time within a cue, and a line break, stand alone.
    if (name.empty() || (name[0] >= '0' && name[0] <= '9') || name == "br" || name == "br/") continue;
    if (!closes) {
      open.push_back(name);
      continue;
    }
    if (open.empty() || open.back() != name) return true;
    open.pop_back();
  }
  // WebVTT lets a voice end with its cue.
  if (std::any_of(open.begin(), open.end(), [](const std::string& name) { return name != "v"; })) return true;
  const std::string seen = seen_text(all);
  const std::size_t star = seen.find('*');
  return star != std::string::npos && star + 1 < seen.size() && static_cast<unsigned char>(seen[star + 1]) > ' ' &&
         seen.find('*', star + 1) != std::string::npos;
}

}  // namespace reelway::origin
