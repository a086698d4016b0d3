#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace reelway::cli {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

// The first of the three that is set decides, as in setlocale(3).
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = environment(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string_view::npos || value.find("utf8") != std::string_view::npos;
  }
  return false;
}

const char* style_code(Style style) {
  switch (style) {
    case Style::plain: return "";
    case Style::bold: return "\033[1m";
    case Style::dim: return "\033[2m";
    case Style::good: return "\033[32m";
    case Style::bad: return "\033[31m";
    case Style::accent: return "\033[36m";
  }
  return "";
}

}  // namespace

Terminal detect_terminal(int fd) {
  Terminal terminal;
  const std::string_view kind = environment("TERM");
  terminal.interactive = ::isatty(fd) == 1 && kind != "dumb";
  terminal.utf8 = locale_is_utf8();
  terminal.colour = terminal.interactive && environment("NO_COLOR").empty();
  winsize size{};
  if (terminal.interactive && ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.width = size.ws_col;
  return terminal;
}

std::string printable(std::string_view text) {
  std::string shown{text};
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto byte = static_cast<unsigned char>(shown[i]);
    // 0xC2 followed by 0x80..0x9F is a control character of the second set (C1).
    const bool c1 = byte == 0xC2 && i + 1 < shown.size() && (static_cast<unsigned char>(shown[i + 1]) & 0xE0) == 0x80;
    if (c1) shown.replace(i, 2, "?");
    if (byte < 0x20 || byte == 0x7F) shown[i] = '?';
  }
  return shown;
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string styled(const Terminal& terminal, Style style, std::string_view text) {
  if (!terminal.colour || style == Style::plain) return std::string{text};
  return std::string{style_code(style)}.append(text).append("\033[0m");
}

}  // namespace reelway::cli
