#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reelway::origin::hls {

// A playlist's tag with an attribute list (RFC 8216bis section 4.2), written in the order of the calls.
class TagLine {
 public:
  explicit TagLine(std::string_view tag) : text_("#" + std::string(tag)) {}

  TagLine& number(std::string_view name, std::uint64_t value) { return add(name, std::to_string(value)); }
  TagLine& word(std::string_view name, std::string_view value) { return add(name, value); }  // enumerated, decimal, ...
  // What a quoted string may not hold becomes a plain character.
  TagLine& quoted(std::string_view name, std::string_view text);
  TagLine& flag(std::string_view name, bool value) { return add(name, value ? "YES" : "NO"); }

  std::string line() const { return text_ + "\n"; }

 private:
  TagLine& add(std::string_view name, std::string_view value);

  std::string text_;
  bool first_ = true;
};

}  // namespace reelway::origin::hls
