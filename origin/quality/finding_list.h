#pragma once

#include <map>
#include <string>
#include <utility>

#include "origin/quality/film_facts.h"
#include "origin/quality/report.h"

namespace reelway::origin {

// Collects findings under the rules: leaves out what is switched off, decides severities, numbers what it keeps, and
// counts what is beyond a report's limits.
class FindingList {
 public:
  explicit FindingList(const QualityRules& rules) : rules_(rules) {}

  struct Measure {
    double measured = 0, limit = 0;
    double extent = -1;  // what is held against block_from; negative: the length of the span
  };
  void add(Rule rule, int stream, Span span, Measure measure, std::string explanation);
  // As add(), but never more severe than `most`.
  void add_at_most(Severity most, Rule rule, int stream, Span span, Measure measure, std::string explanation);

  const QualityRules& rules() const { return rules_; }
  // Ends the list: by rule and time, with ids.
  void finish(QualityReport& report) &&;

 private:
  const QualityRules& rules_;
  std::vector<Finding> findings_;
  std::map<std::pair<Rule, int>, std::size_t> counts_;
  std::uint64_t dropped_ = 0;
};

// "1:02:03.4"
std::string time_code(double seconds);

// Runs of indexes for which `holds` is true, of which those that are at most `gap` apart are one. Ends are excluded.
template <class Holds>
std::vector<std::pair<std::size_t, std::size_t>> runs_of(std::size_t count, std::size_t gap, const Holds& holds) {
  std::vector<std::pair<std::size_t, std::size_t>> runs;
  for (std::size_t i = 0; i < count; ++i) {
    if (!holds(i)) continue;
    if (!runs.empty() && i - runs.back().second <= gap)
      runs.back().second = i + 1;
    else
      runs.emplace_back(i, i + 1);
  }
  return runs;
}

}  // namespace reelway::origin
