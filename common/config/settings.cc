#include "common/config/settings.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <numeric>
#include <optional>
#include <utility>

#include "common/base/check.h"
#include "common/config/values.h"

// A configuration file is a tree of YAML maps; a path through it with dots is the key of an option in the table. The
// reader walks the tree once, checks each leaf against its option, then fills in defaults and asks for what is
// required. It stops at the first fault: a person mends one line at a time.

namespace reelway::config {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;
constexpr std::string_view kAnyName = "{}";
constexpr std::size_t kNameMax = 32;

std::string where(std::string_view file, const YAML::Mark& mark) {
  return std::string(file) + ":" + std::to_string(mark.line + 1);
}

Error fault(ErrorCode code, std::string detail) {
  return {code, Side::self, false, std::move(detail)};
}

// Levenshtein's: the fewest characters to insert, delete or replace.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

// Whether a key is what a pattern stands for: the same parts, with a name for each {}. With `is_prefix` the pattern may
// have further parts.
bool matches(std::string_view pattern, std::string_view key, bool is_prefix) {
  while (true) {
    const std::string_view wanted = pattern.substr(0, pattern.find('.')), found = key.substr(0, key.find('.'));
    if (wanted != found && !(wanted == kAnyName && option_name_ok(found))) return false;
    const bool pattern_ends = wanted.size() == pattern.size(), key_ends = found.size() == key.size();
    if (pattern_ends || key_ends) return key_ends && pattern_ends != is_prefix;
    pattern.remove_prefix(wanted.size() + 1);
    key.remove_prefix(found.size() + 1);
  }
}

const Option* find_option(std::span<const Option> table, std::string_view key) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Option& o) { return matches(o.key, key, false); });
  return found == table.end() ? nullptr : &*found;
}

// The option or section whose name takes the fewest edits to become `key`.
std::string_view nearest_key(std::span<const Option> table, std::string_view key) {
  key = key.substr(0, 128);  // The distance costs the product of both lengths.
  const auto last_part = [](std::string_view text) { return text.substr(text.rfind('.') + 1); };
  std::string_view nearest;
  std::size_t least = std::string_view::npos;
  const auto consider = [&](std::string_view candidate, std::size_t distance) {
    if (distance >= least) return;
    least = distance;
    nearest = candidate;
  };
  for (const Option& option : table) {
    consider(option.key, edit_distance(option.key, key));
    // A key at the wrong level is also near: "memory_bytes" for "store.memory_bytes".
    consider(option.key, 1 + edit_distance(last_part(option.key), last_part(key)));
    for (std::size_t dot = option.key.find('.'); dot != std::string_view::npos; dot = option.key.find('.', dot + 1)) {
      consider(option.key.substr(0, dot), edit_distance(option.key.substr(0, dot), key));
    }
  }
  return nearest;
}

// "public: {listen: ...}" for a missing "public.listen".
std::string example_line(const Option& option, std::string_view key) {
  std::string line(key);
  std::size_t depth = 0;
  for (std::size_t dot = line.find('.'); dot != std::string::npos; dot = line.find('.', dot), ++depth) {
    line.replace(dot, 1, ": {");
  }
  return line.append(": ").append(placeholder(option)).append(depth, '}');
}

class Reader {
 public:
  using Values = std::map<std::string, std::vector<std::string>, std::less<>>;

  Reader(std::span<const Option> table, std::string_view file) : table_(table), file_(file) {}

  Result<Values> read(std::string_view yaml) {
    YAML::Node root;
    try {
      root = YAML::Load(std::string(yaml));
      REELWAY_TRY(read_map(root, ""));
    } catch (const YAML::Exception& exception) {
      return fault(ErrorCode::config_syntax, where(file_, exception.mark) + ": " + exception.msg);
    } catch (const std::exception& exception) {
      return fault(ErrorCode::config_syntax, std::string(file_) + ": " + exception.what());
    }
    REELWAY_TRY(complete());
    return std::move(values_);
  }

 private:
  bool is_section(std::string_view key) const {
    return std::any_of(table_.begin(), table_.end(), [&](const Option& o) { return matches(o.key, key, true); });
  }

  Result<void> read_map(const YAML::Node& node, const std::string& prefix) {
    if (node.IsNull()) return {};
    if (!node.IsMap()) {
      const std::string subject = prefix.empty() ? "the file" : prefix.substr(0, prefix.size() - 1);
      return fault(ErrorCode::config_syntax, where(file_, node.Mark()) + ": expected keys with values in " + subject);
    }
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        return fault(ErrorCode::config_syntax, where(file_, entry.first.Mark()) + ": expected a text as key");
      }
      REELWAY_TRY(read_entry(prefix + entry.first.Scalar(), entry.first.Mark(), entry.second));
    }
    return {};
  }

  Result<void> read_entry(const std::string& key, const YAML::Mark& mark, const YAML::Node& value) {
    const auto [first, is_new] = lines_.emplace(key, mark.line + 1);
    if (!is_new) {
      return fault(ErrorCode::config_syntax,
                   where(file_, mark) + ": " + key + " stands on line " + std::to_string(first->second) + " already");
    }
    if (const Option* option = find_option(table_, key)) return read_value(*option, key, mark, value);
    if (is_section(key)) return read_map(value, key + ".");
    if (const auto section = key.substr(0, key.rfind('.') + 1); is_section(section + std::string(kAnyName))) {
      return fault(ErrorCode::config_key_unknown, where(file_, mark) + ": " + key + ": expected a name of 1 to " +
                                                      std::to_string(kNameMax) +
                                                      " characters of a-z, 0-9 and '-' that begins with a letter");
    }
    std::string detail = where(file_, mark) + ": there is no option \"" + key + "\"";
    if (!table_.empty()) detail.append("; the nearest is \"").append(nearest_key(table_, key)).append("\"");
    return fault(ErrorCode::config_key_unknown, std::move(detail));
  }

  Result<void> read_value(const Option& option, const std::string& key, const YAML::Mark& mark,
                          const YAML::Node& node) {
    const std::string subject = where(file_, mark) + ": " + key + ": ";
    if (option.kind == Kind::text_list) return read_list(option, key, subject, node);
    if (!node.IsScalar() && !node.IsNull()) {
      return fault(ErrorCode::config_value_invalid,
                   subject + "expected " + std::string(expectation(option.kind)) + ", found a list or section");
    }
    const std::string text = node.IsNull() ? "" : node.Scalar();
    if (auto expected = value_fault(option, text)) {
      return fault(ErrorCode::config_value_invalid,
                   subject + *expected + ", found " + (text.empty() ? "nothing" : "\"" + text + "\""));
    }
    values_[key] = {option.kind == Kind::url && !text.empty() ? *parse_url(text) : text};
    return {};
  }

  Result<void> read_list(const Option& option, const std::string& key, const std::string& subject,
                         const YAML::Node& node) {
    std::vector<std::string> items;
    bool texts = node.IsNull() || node.IsSequence();
    if (node.IsSequence()) {
      for (const auto& item : node) {
        texts = texts && item.IsScalar();
        if (texts) items.push_back(item.Scalar());
      }
    }
    if (!texts)
      return fault(ErrorCode::config_value_invalid, subject + "expected " + std::string(expectation(option.kind)));
    if (option.required && items.empty()) {
      return fault(ErrorCode::config_value_invalid, subject + "expected a list with at least one text");
    }
    values_[key] = std::move(items);
    return {};
  }

  // Defaults for what the file leaves out.
  Result<void> complete() {
    for (const Option& option : table_) {
      for (const std::string& key : keys_of(option)) REELWAY_TRY(complete_one(option, key));
    }
    return {};
  }

  // A key for each section that the file has, where the option has a {}; otherwise its own.
  std::vector<std::string> keys_of(const Option& option) const {
    const auto any = option.key.find(kAnyName);
    if (any == std::string_view::npos) return {std::string(option.key)};
    const std::string_view section = option.key.substr(0, any + kAnyName.size());
    std::vector<std::string> keys;
    for (const auto& [key, line] : lines_) {
      if (matches(section, key, false)) keys.push_back(key + std::string(option.key.substr(section.size())));
    }
    return keys;
  }

  // A default that is no value of its option is a fault of the table.
  Result<void> complete_one(const Option& option, const std::string& key) {
    if (values_.contains(key)) return {};
    if (option.required) {
      return fault(
          ErrorCode::config_key_missing,
          std::string(file_) + ": " + key + " is missing; a line like this sets it: " + example_line(option, key));
    }
    if (option.kind == Kind::text_list) {
      CHECK(read_list(option, key, "", YAML::Load(std::string(option.default_value))).ok());
    } else {
      CHECK(!value_fault(option, option.default_value));
      values_[key] = {std::string(option.default_value)};
    }
    return {};
  }

  std::span<const Option> table_;
  std::string_view file_;
  std::map<std::string, int, std::less<>> lines_;
  Values values_;
};

}  // namespace

bool option_name_ok(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= kNameMax && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), fits);
}

Result<Settings> parse(std::span<const Option> table, std::string_view yaml, std::string_view file_name) {
  auto values = Reader(table, file_name).read(yaml);
  if (!values.ok()) return std::move(values).error();
  Settings settings;
  settings.values_ = std::move(values).value();
  for (const auto& [key, value] : settings.values_) settings.kinds_.emplace(key, find_option(table, key)->kind);
  return settings;
}

Result<Settings> load(std::span<const Option> table, const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  // Opening a folder succeeds; reading it does not.
  if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream && !stream.eof()) {
    return fault(ErrorCode::config_unreadable, file + ": " + std::strerror(errno == 0 ? EIO : errno));
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kFileBytesMax) {
    return fault(ErrorCode::config_unreadable, file + ": larger than " + format_bytes(kFileBytesMax));
  }
  return parse(table, text, file);
}

const std::vector<std::string>& Settings::raw(std::string_view key, std::initializer_list<Kind> kinds) const {
  const auto kind = kinds_.find(key);
  CHECK(kind != kinds_.end());
  CHECK(std::find(kinds.begin(), kinds.end(), kind->second) != kinds.end());
  return values_.find(key)->second;
}

const std::string& Settings::text(std::string_view key) const {
  return raw(key, {Kind::text, Kind::path, Kind::url}).front();
}

bool Settings::flag(std::string_view key) const {
  return parse_flag(raw(key, {Kind::flag}).front()).value_or(false);
}

std::int64_t Settings::integer(std::string_view key) const {
  return parse_integer(raw(key, {Kind::integer}).front()).value_or(0);
}

std::uint64_t Settings::bytes(std::string_view key) const {
  return static_cast<std::uint64_t>(parse_bytes(raw(key, {Kind::bytes}).front()).value_or(0));
}

std::chrono::milliseconds Settings::duration(std::string_view key) const {
  return std::chrono::milliseconds(parse_duration_ms(raw(key, {Kind::duration}).front()).value_or(0));
}

Endpoint Settings::endpoint(std::string_view key) const {
  auto endpoint = parse_endpoint(raw(key, {Kind::endpoint}).front());
  return endpoint.ok() ? std::move(endpoint).value() : Endpoint{};
}

std::vector<std::string> Settings::names(std::string_view section) const {
  const std::string prefix = std::string(section) + ".";
  std::vector<std::string> names;
  for (auto entry = values_.lower_bound(prefix); entry != values_.end() && entry->first.starts_with(prefix); ++entry) {
    const std::string name = entry->first.substr(prefix.size(), entry->first.find('.', prefix.size()) - prefix.size());
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return names;
}

const std::vector<std::string>& Settings::list(std::string_view key) const {
  return raw(key, {Kind::text_list});
}

}  // namespace reelway::config
