#include "common/http/message.h"

#include <algorithm>

namespace reelway::http {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool names_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return x == y || lower(x) == lower(y); });
}

std::size_t list_member_end(std::string_view list) {
  bool quoted = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (quoted && list[i] == '\\') {
      ++i;
    } else if (list[i] == '"') {
      quoted = !quoted;
    } else if (list[i] == ',' && !quoted) {
      return i;
    }
  }
  return list.size();
}

bool list_contains(std::string_view field_value, std::string_view token) {
  while (!field_value.empty()) {
    const std::size_t end = list_member_end(field_value);
    const std::string_view member = field_value.substr(0, end);
    if (names_equal(trimmed(member.substr(0, member.find(';'))), token)) return true;
    field_value.remove_prefix(std::min(end + 1, field_value.size()));
  }
  return false;
}

std::optional<std::string_view> HeaderList::find(std::string_view name) const {
  for (const Header& header : headers_) {
    if (names_equal(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::size_t HeaderList::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(headers_.begin(), headers_.end(),
                                                [&](const Header& header) { return names_equal(header.name, name); }));
}

}  // namespace reelway::http
