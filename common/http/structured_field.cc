#include "common/http/structured_field.h"

#include <algorithm>

// The parsing algorithms of RFC 9651 section 4.2, one function for each. A reader that has failed takes nothing more,
// so the callers ask once, at the end.

namespace reelway::http {
namespace {

constexpr std::size_t kMembersMax = 1024;  // what section 3.2 asks every parser to take

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_alpha(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}
bool is_token_char(char c) {
  return is_alpha(c) || is_digit(c) || std::string_view("!#$%&'*+-.^_`|~:/").find(c) != std::string_view::npos;
}
bool is_base64(char c) {
  return is_alpha(c) || is_digit(c) || c == '+' || c == '/' || c == '=';
}

class StructuredReader {
 public:
  explicit StructuredReader(std::string_view text) : text_(text) {}

  bool failed() const { return failed_; }
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (failed_ || peek() != c || at_end()) return false;
    ++at_;
    return true;
  }
  void skip_spaces() {
    while (peek() == ' ') ++at_;
  }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }
  void fail() { failed_ = true; }

  std::string_view key() {
    if (!is_lower(peek()) && peek() != '*') fail();
    return run([](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*'; });
  }

  void value(StructuredMember& member) {
    if (peek() == '(') {
      inner_list(member);
    } else {
      item(member);
    }
  }

  void parameters() {
    while (!failed_ && take(';')) {
      skip_spaces();
      key();
      StructuredMember ignored;
      if (take('=')) bare_item(ignored);
    }
  }

 private:
  template <typename Belongs>
  std::string_view run(Belongs belongs) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && belongs(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  void item(StructuredMember& member) {
    bare_item(member);
    parameters();
  }

  void inner_list(StructuredMember& member) {
    const std::size_t begin = at_;
    take('(');
    while (!failed_) {
      skip_spaces();
      if (take(')')) break;
      StructuredMember ignored;
      item(ignored);
      if (peek() != ' ' && peek() != ')') fail();
    }
    member.type = StructuredType::inner_list;
    member.text = text_.substr(begin, at_ - begin);
    parameters();
  }

  void bare_item(StructuredMember& member) {
    const std::size_t begin = at_;
    const char first = peek();
    if (at_end()) {
      fail();
    } else if (first == '-' || is_digit(first)) {
      number(member);
    } else if (first == '"') {
      string(member);
    } else if (first == '*' || is_alpha(first)) {
      member.type = StructuredType::token;
      run(is_token_char);
    } else if (first == ':') {
      byte_sequence(member);
    } else if (first == '?') {
      boolean(member);
    } else if (first == '@') {
      date(member);
    } else if (first == '%') {
      display_string(member);
    } else {
      fail();
    }
    member.text = text_.substr(begin, at_ - begin);
  }

  // At most 15 digits, or 12 and 3 behind the point.
  void number(StructuredMember& member) {
    const bool negative = take('-');
    const std::string_view whole = run(is_digit);
    if (whole.empty() || whole.size() > 15) return fail();
    member.type = StructuredType::integer;
    for (char c : whole) member.integer = member.integer * 10 + (c - '0');
    if (negative) member.integer = -member.integer;
    if (!take('.')) return;
    const std::string_view fraction = run(is_digit);
    member.type = StructuredType::decimal;
    if (whole.size() > 12 || fraction.empty() || fraction.size() > 3) fail();
  }

  void string(StructuredMember& member) {
    member.type = StructuredType::string;
    take('"');
    while (!failed_) {
      if (at_end()) return fail();
      const char c = text_[at_++];
      if (c == '"') return;
      if (c == '\\') {
        if (!take('"') && !take('\\')) fail();
      } else if (c < 0x20 || c > 0x7e) {
        fail();
      }
    }
  }

  void byte_sequence(StructuredMember& member) {
    member.type = StructuredType::bytes;
    take(':');
    run(is_base64);
    if (!take(':')) fail();
  }

  void boolean(StructuredMember& member) {
    member.type = StructuredType::boolean;
    take('?');
    if (take('1')) {
      member.integer = 1;
    } else if (!take('0')) {
      fail();
    }
  }

  void date(StructuredMember& member) {
    take('@');
    if (peek() != '-' && !is_digit(peek())) return fail();
    number(member);
    if (member.type != StructuredType::integer) fail();
    member.type = StructuredType::date;
  }

  void display_string(StructuredMember& member) {
    member.type = StructuredType::display_string;
    take('%');
    if (!take('"')) return fail();
    while (!failed_) {
      if (at_end()) return fail();
      const char c = text_[at_++];
      if (c == '"') return;
      if (c < 0x20 || c > 0x7e) return fail();
      if (c == '%') {
        if (at_ + 2 > text_.size() || !is_lower_hex(text_[at_]) || !is_lower_hex(text_[at_ + 1])) return fail();
        at_ += 2;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

std::optional<std::vector<StructuredMember>> parse_dictionary(std::string_view field) {
  std::vector<StructuredMember> members;
  StructuredReader reader(field);
  reader.skip_spaces();
  while (!reader.at_end()) {
    StructuredMember member;
    member.key = reader.key();
    if (reader.take('=')) {
      reader.value(member);
    } else {
      member.integer = 1;
      reader.parameters();
    }
    if (reader.failed() || members.size() == kMembersMax) return std::nullopt;
    std::erase_if(members, [&](const StructuredMember& earlier) { return earlier.key == member.key; });
    members.push_back(member);
    reader.skip_blanks();
    if (reader.at_end()) break;
    if (!reader.take(',')) return std::nullopt;
    reader.skip_blanks();
    if (reader.at_end()) return std::nullopt;  // a trailing comma
  }
  return members;
}

}  // namespace reelway::http
