#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace reelway::config {

enum class Kind : std::uint8_t {
  text,
  path,
  flag,  // true | false
  integer,
  bytes,      // 512KiB, 64MiB, 10GiB or a plain number
  duration,   // 250ms, 5s, 2m, 1h
  endpoint,   // 127.0.0.1:8080, [::1]:8080
  url,        // http://host:port or https://host:port
  text_list,  // a YAML sequence of texts
};

// One option of a program. The table of these is the one place where an option is described: loading, --help,
// the commented example in config/ and docs/reference come from it.
//
// A part of a key that is {} stands for a name that the file chooses (option_name_ok()): "stores.{}.url" is url under
// each section of stores. The options of such a section are asked for, and have their defaults, where the file has the
// section; Settings then has each under its name, "stores.archive.url".
struct Option {
  std::string_view key;  // dotted: "store.memory_bytes" is memory_bytes under store in the file
  Kind kind;
  std::string_view default_value;  // as it would stand in the file; empty with `required`
  bool required;
  std::int64_t min;  // for integer, bytes (bytes) and duration (milliseconds); 0,0 = unlimited
  std::int64_t max;
  std::string_view help;  // full sentences, with unit and consequence
};

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};

// Values of every option of the table, checked. Getters CHECK that the key exists and has that kind.
class Settings {
 public:
  const std::string& text(std::string_view key) const;  // text, path, url
  bool flag(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  std::uint64_t bytes(std::string_view key) const;
  std::chrono::milliseconds duration(std::string_view key) const;
  Endpoint endpoint(std::string_view key) const;
  const std::vector<std::string>& list(std::string_view key) const;
  // The names that the file chose below a section: those of {} in "stores.{}.url" for "stores". Sorted.
  std::vector<std::string> names(std::string_view section) const;

 private:
  friend Result<Settings> load(std::span<const Option>, const std::string&);
  friend Result<Settings> parse(std::span<const Option>, std::string_view, std::string_view);
  // The texts of a key that has one of these kinds.
  const std::vector<std::string>& raw(std::string_view key, std::initializer_list<Kind> kinds) const;

  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::map<std::string, Kind, std::less<>> kinds_;
};

// 1 to 32 of a-z, 0-9 and '-', beginning with a letter.
bool option_name_ok(std::string_view name);

// Errors name the file, the line, the option and what was expected: config_unreadable, config_syntax,
// config_key_missing, config_key_unknown (with the nearest known key), config_value_invalid.
Result<Settings> load(std::span<const Option> table, const std::string& file);
Result<Settings> parse(std::span<const Option> table, std::string_view yaml, std::string_view file_name);

// A commented YAML file with every option at its default: what config/*.yaml holds.
std::string commented_example(std::span<const Option> table, std::string_view title);

Result<Endpoint> parse_endpoint(std::string_view text);

// The first line of a file that holds a secret; config_value_invalid if others than its owner may read it
// or if it is shorter than 16 characters.
Result<std::string> read_secret(const std::string& file);

}  // namespace reelway::config
