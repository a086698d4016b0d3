#include "origin/request/entity_tag.h"

#include "common/telemetry/log.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kContentIdCharacters = 16;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string entity_tag(std::uint32_t body_crc32c, std::uint64_t body_bytes, std::string_view content_id) {
  return fmt::format("\"{:08x}-{:x}-{}-p{}\"", body_crc32c, body_bytes, content_id.substr(0, kContentIdCharacters),
                     kPackagerVersion);
}

bool none_match_names(std::string_view field, std::string_view tag) {
  // Our tags hold no comma, so a comma always separates.
  while (!field.empty()) {
    const auto comma = field.find(',');
    std::string_view item = trimmed(field.substr(0, comma));
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == "*" || item == tag) return true;
    field = comma == std::string_view::npos ? std::string_view{} : field.substr(comma + 1);
  }
  return false;
}

}  // namespace reelway::origin
