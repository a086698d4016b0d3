#include "origin/text/text_lines.h"

#include <array>
#include <charconv>

#include "common/base/encoding.h"
#include "origin/text/text_sheet.h"

namespace reelway::origin::text {
namespace {

constexpr std::uint32_t kHoursMax = 999;

std::optional<std::uint32_t> parse_number(std::string_view digits, std::size_t digits_max) {
  if (digits.empty() || digits.size() > digits_max) return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

void TextLines::next() {
  if (ended_ || rest_.empty()) {
    line_.reset();
    return;
  }
  ++number_;
  const std::size_t end = rest_.find_first_of("\r\n");
  line_ = rest_.substr(0, end);
  ended_ = end == std::string_view::npos;
  if (!ended_) rest_.remove_prefix(end + (rest_.substr(end).starts_with("\r\n") ? 2 : 1));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool has_arrow(std::string_view line) {
  return line.find("-->") != std::string_view::npos;
}

std::optional<std::uint32_t> parse_time_ms(std::string_view text) {
  const std::size_t point = text.find_first_of(".,");
  if (point == std::string_view::npos || text.size() != point + 4) return std::nullopt;
  const auto thousandths = parse_number(text.substr(point + 1), 3);
  std::string_view whole = text.substr(0, point);
  std::array<std::uint32_t, 3> parts{};  // seconds, minutes, hours
  std::size_t count = 0;
  for (;; ++count) {
    if (count == parts.size()) return std::nullopt;
    const std::size_t colon = whole.rfind(':');
    const auto part = parse_number(colon == std::string_view::npos ? whole : whole.substr(colon + 1), 3);
    if (!part) return std::nullopt;
    parts[count] = *part;
    if (colon == std::string_view::npos) break;
    whole = whole.substr(0, colon);
  }
  const auto [seconds, minutes, hours] = parts;
  if (!thousandths || count < 1 || seconds > 59 || minutes > 59 || hours > kHoursMax) return std::nullopt;
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + *thousandths;
}

std::optional<TimeLine> parse_time_line(std::string_view line) {
  const std::size_t arrow = line.find("-->");
  if (arrow == std::string_view::npos) return std::nullopt;
  const std::string_view rest = trimmed(line.substr(arrow + 3));
  const std::size_t gap = rest.find_first_of(" \t");
  const auto from = parse_time_ms(trimmed(line.substr(0, arrow)));
  const auto to = parse_time_ms(rest.substr(0, gap));
  if (!from || !to) return std::nullopt;
  return TimeLine{*from, *to, gap == std::string_view::npos ? std::string_view{} : trimmed(rest.substr(gap))};
}

Result<std::string_view> plain_text(std::string_view file) {
  if (file.size() > kTextBytesMax) return malformed("the subtitles have more than 8 MiB");
  if (file.starts_with("\xEF\xBB\xBF")) file.remove_prefix(3);
  if (!is_utf8(file)) return malformed("the subtitles are not in UTF-8");
  if (file.find('\0') != std::string_view::npos) return malformed("there are zero bytes in the subtitles");
  return file;
}

}  // namespace reelway::origin::text
