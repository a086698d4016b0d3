#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reelway::cli {

// What a stream can show. On a terminal a line may be redrawn and parts of it may be in colour.
struct Terminal {
  bool interactive = false;
  bool utf8 = false;
  bool colour = false;
  std::size_t width = 80;
};

// Looks at the descriptor and the environment (TERM, NO_COLOR, LC_ALL, LC_CTYPE, LANG).
Terminal detect_terminal(int fd);

// Text from a server or a file name as it may be shown: control characters, which could command the terminal,
// become '?'.
std::string printable(std::string_view text);

// Columns that UTF-8 text takes, counting each code point as one.
std::size_t display_width(std::string_view text);

enum class Style : unsigned char { plain, bold, dim, good, bad, accent };
std::string styled(const Terminal& terminal, Style style, std::string_view text);

}  // namespace reelway::cli
