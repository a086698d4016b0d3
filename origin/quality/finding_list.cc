#include "origin/quality/finding_list.h"

#include <algorithm>
#include <cmath>

#include <spdlog/fmt/fmt.h>

namespace reelway::origin {
namespace {

// Records hold numbers that JSON has.
double finite(double value) {
  return std::isfinite(value) ? std::clamp(value, -1e12, 1e12) : 0;
}

}  // namespace

void FindingList::add(Rule rule, int stream, Span span, Measure measure, std::string explanation) {
  add_at_most(Severity::block, rule, stream, span, measure, std::move(explanation));
}

void FindingList::add_at_most(Severity most, Rule rule, int stream, Span span, Measure measure,
                              std::string explanation) {
  const RuleSetting& setting = rules_[rule];
  if (setting.severity == Severity::off) return;
  if (findings_.size() >= kFindingsMax || ++counts_[{rule, stream}] > kFindingsOfRuleMax) {
    ++dropped_;
    return;
  }
  Finding finding;
  finding.rule = rule;
  const double extent = measure.extent >= 0 ? measure.extent : span.length();
  finding.severity = setting.block_from > 0 && extent >= setting.block_from ? Severity::block : setting.severity;
  finding.severity = std::min(finding.severity, most);
  finding.stream = stream;
  finding.from_s = std::max(finite(span.from_s), 0.0);
  finding.to_s = std::max(finite(span.to_s), finding.from_s);
  finding.measured = finite(measure.measured);
  finding.limit = finite(measure.limit);
  finding.explanation = std::move(explanation);
  if (finding.explanation.size() > kExplanationBytesMax) finding.explanation.resize(kExplanationBytesMax);
  findings_.push_back(std::move(finding));
}

void FindingList::finish(QualityReport& report) && {
  std::stable_sort(findings_.begin(), findings_.end(), [](const Finding& one, const Finding& other) {
    return std::pair(one.rule, one.from_s) < std::pair(other.rule, other.from_s);
  });
  std::map<Rule, std::size_t> numbers;
  for (Finding& finding : findings_) {
    finding.id = fmt::format("{}-{}", rule_info(finding.rule).name, ++numbers[finding.rule]);
  }
  report.findings = std::move(findings_);
  report.dropped = dropped_;
}

std::string time_code(double seconds) {
  const auto tenths = static_cast<std::int64_t>(std::llround(std::max(finite(seconds), 0.0) * 10));
  return fmt::format("{}:{:02}:{:02}.{}", tenths / 36'000, tenths / 600 % 60, tenths / 10 % 60, tenths % 10);
}

}  // namespace reelway::origin
