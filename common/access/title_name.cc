#include "common/access/title_name.h"

namespace reelway::access {
namespace {

constexpr std::size_t kTitleBytesMax = 63;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string_view file_name(std::string_view file) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string_view::npos ? file : file.substr(slash + 1);
}

std::string derive_title_id(std::string_view file) {
  std::string_view stem = file_name(file);
  if (const std::size_t dot = stem.rfind('.'); dot != std::string_view::npos && dot > 0) stem = stem.substr(0, dot);
  std::string id;
  for (const char raw : stem) {
    const char c = lower(raw);
    const bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (keep)
      id.push_back(c);
    else if (!id.empty() && id.back() != '-')
      id.push_back('-');
    if (id.size() == kTitleBytesMax) break;
  }
  while (id.ends_with('-')) id.pop_back();
  return id;
}

}  // namespace reelway::access
