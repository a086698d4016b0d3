#include "common/telemetry/escape.h"

#include <cstdint>

namespace reelway::telemetry {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

void append_hex(std::string& out, std::uint8_t byte) {
  out.push_back(kHexDigits[byte >> 4]);
  out.push_back(kHexDigits[byte & 15]);
}

bool is_control(std::uint8_t byte) {
  return byte < 0x20 || byte == 0x7f;
}

bool is_continuation(std::uint8_t byte) {
  return (byte & 0xc0) == 0x80;
}

// How many bytes the UTF-8 sequence at `at` has; 0 if none begins there. Overlong forms, surrogates and what lies
// beyond U+10FFFF are none.
std::size_t sequence_size(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return at + i < text.size() ? static_cast<std::uint8_t>(text[at + i]) : 0; };
  const auto first = static_cast<std::uint8_t>(text[at]);
  const std::uint32_t second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return is_continuation(byte(1)) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const std::uint32_t low = first == 0xe0 ? 0xa0 : 0x80;
    const std::uint32_t high = first == 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high && is_continuation(byte(2)) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const std::uint32_t low = first == 0xf0 ? 0x90 : 0x80;
    const std::uint32_t high = first == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high && is_continuation(byte(2)) && is_continuation(byte(3)) ? 4 : 0;
  }
  return 0;
}

// C1 control characters (U+0080 to U+009F) steer some terminals too.
bool is_c1_control(std::string_view sequence) {
  return sequence.size() == 2 && static_cast<std::uint8_t>(sequence[0]) == 0xc2 &&
         static_cast<std::uint8_t>(sequence[1]) < 0xa0;
}

}  // namespace

std::string escape_control(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    const std::size_t size = sequence_size(text, at);
    if (byte == '\\') {
      out.append("\\\\");
    } else if (byte == '\n') {
      out.append("\\n");
    } else if (byte == '\r') {
      out.append("\\r");
    } else if (byte == '\t') {
      out.append("\\t");
    } else if (is_control(byte) || size == 0) {
      out.append("\\x");
      append_hex(out, byte);
    } else if (is_c1_control(text.substr(at, size))) {
      for (char c : text.substr(at, size)) append_hex(out.append("\\x"), static_cast<std::uint8_t>(c));
    } else {
      out.append(text.substr(at, size));
    }
    at += size == 0 ? 1 : size;
  }
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    const std::size_t size = sequence_size(text, at);
    if (byte == '"' || byte == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(byte));
    } else if (is_control(byte)) {
      append_hex(out.append("\\u00"), byte);
    } else if (size == 0) {
      out.append("\\ufffd");
    } else {
      out.append(text.substr(at, size));
    }
    at += size == 0 ? 1 : size;
  }
  out.push_back('"');
}

}  // namespace reelway::telemetry
