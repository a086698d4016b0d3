#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/config/settings.h"

// What a film is checked for, once: ids, thresholds and their defaults, severities, remedies. Options, their reference
// page and every finding come from the table in rules.cc. Pure.

namespace reelway::origin {

enum class Severity : std::uint8_t {
  off,    // not reported
  info,   // worth knowing
  warn,   // a person should look
  block,  // holds publishing until it is waived
};
std::string_view name_of(Severity severity);
std::optional<Severity> severity_of(std::string_view name);

// In the order in which a report lists them. The names are those of `kRuleInfos`, in the same order.
enum class Rule : std::uint8_t {
  decode_error,
  black,
  freeze,
  silence,
  loudness,
  loud_section,
  loudness_range,
  true_peak,
  phase,
  swapped_channels,
  missing_channel,
  interlaced,
  telecine,
  crop,
  vfr,
  key_frames,
  av_length,
  av_offset,
  language,
  subtitle_unreadable,
  subtitle_overlap,
  subtitle_gap,
  subtitle_duration,
  subtitle_speed,
  subtitle_line_length,
  subtitle_lines,
  subtitle_cut,
  subtitle_markup,
  subtitle_end,
};
inline constexpr std::size_t kRules = static_cast<std::size_t>(Rule::subtitle_end) + 1;

// A number of a rule that an operator can set. Without `help` the rule has no such number.
struct RuleNumber {
  double value = 0;
  double min = 0, max = 0;
  std::string_view help;  // with its unit
};

struct RuleInfo {
  Rule rule;
  std::string_view name;  // stable: in records, options and answers
  std::string_view unit;  // of measured values and limits
  Severity severity;
  RuleNumber limit;
  RuleNumber low;           // the other end, where the limit is a range
  RuleNumber seconds;       // shorter ones are not reported
  RuleNumber block_from;    // measured values from here on block, whatever the severity; 0: never
  std::string_view checks;  // what it looks for, for the reference
  std::string_view remedy;  // for a content editor
};
const RuleInfo& rule_info(Rule rule);
std::span<const RuleInfo> rule_table();
std::optional<Rule> rule_of(std::string_view name);

struct RuleSetting {
  Severity severity = Severity::warn;
  double limit = 0;
  double low = 0;
  double seconds = 0;
  double block_from = 0;
};

// The rules as one origin applies them. Default-made: the table's defaults.
class QualityRules {
 public:
  QualityRules();
  const RuleSetting& operator[](Rule rule) const { return settings_[static_cast<std::size_t>(rule)]; }
  RuleSetting& operator[](Rule rule) { return settings_[static_cast<std::size_t>(rule)]; }

 private:
  std::array<RuleSetting, kRules> settings_;
};

// "quality.black.severity", "quality.black.seconds" ...: to be appended to a program's option table.
std::span<const config::Option> quality_options();
// config_value_invalid names the option and what was expected.
Result<QualityRules> quality_rules(const config::Settings& settings);

}  // namespace reelway::origin
