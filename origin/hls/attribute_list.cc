#include "origin/hls/attribute_list.h"

namespace reelway::origin::hls {

TagLine& TagLine::add(std::string_view name, std::string_view value) {
  text_ += first_ ? ':' : ',';
  first_ = false;
  text_.append(name).append("=").append(value);
  return *this;
}

TagLine& TagLine::quoted(std::string_view name, std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') {
      result += '\'';
    } else {
      result += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
    }
  }
  return add(name, result + "\"");
}

}  // namespace reelway::origin::hls
