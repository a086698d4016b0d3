#include "cli/quality_report.h"

#include <spdlog/fmt/fmt.h>

#include "cli/table.h"

namespace reelway::cli {
namespace {

std::string count_text(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string verdict_text(const Json& report) {
  if (count_at(report, "blocking") > 0) {
    return count_text(count_at(report, "blocking"), "finding holds", "findings hold") + " publishing";
  }
  return "nothing holds publishing";
}

std::string standing(const Json& finding) {
  return object_at(finding, "waiver").empty() ? text_at(finding, "severity") : "waived";
}

// "3 (limit 2 s)"
std::string measured_text(const Json& finding) {
  const auto measured = number_at(finding, "measured"), limit = number_at(finding, "limit");
  if (!measured || !limit || (*measured == 0 && *limit == 0)) return "-";
  const std::string unit = text_at(finding, "unit");
  return fmt::format("{:.3g} (limit {:.3g}{}{})", *measured, *limit, unit.empty() ? "" : " ", unit);
}

std::string details(const Json& finding) {
  std::string text = fmt::format("\n{}  {}\n", text_at(finding, "id"), text_at(finding, "explanation"));
  const Json& waiver = object_at(finding, "waiver");
  if (waiver.empty()) {
    text += fmt::format("  Remedy: {}\n", text_at(finding, "remedy"));
  } else {
    text += fmt::format("  Waived by {} at {}: {}\n", text_at(waiver, "by"), text_at(waiver, "at"),
                        text_at(waiver, "reason"));
  }
  if (const std::string picture = text_at(finding, "picture"); !picture.empty()) {
    text += fmt::format("  Picture: {}\n", picture);
  }
  return text;
}

// Lines stay lines; what else a terminal could act on does not reach it.
std::string printable_lines(const std::string& text) {
  std::string lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines += printable(text.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return lines;
}

}  // namespace

std::string quality_report(const Json& report, const Terminal& terminal) {
  std::string text = fmt::format(
      "{} {}, checked at {}: {}, {}, {} waived; {}.\n", text_at(report, "title"), text_at(report, "version"),
      text_at(report, "checked_at"), count_text(count_at(report, "warnings"), "warning", "warnings"),
      count_text(count_at(report, "infos"), "remark", "remarks"), count_at(report, "waived"), verdict_text(report));
  if (count_at(report, "dropped") > 0) {
    text += count_text(count_at(report, "dropped"), "more finding is", "more findings are") + " not listed.\n";
  }
  const Json& findings = list_at(report, "findings");
  if (findings.empty()) return printable_lines(text);
  Table table({{"FINDING"}, {"SEVERITY"}, {"FROM"}, {"TO"}, {"MEASURED"}});
  std::string explained;
  for (const Json& finding : findings) {
    table.add({text_at(finding, "id"), standing(finding), text_at(finding, "from"), text_at(finding, "to"),
               measured_text(finding)});
    explained += details(finding);
  }
  return printable_lines(text) + "\n" + table.render(terminal) + printable_lines(explained);
}

std::string waived_report(const Json& report, const std::string& finding) {
  return printable(fmt::format("{} of {} {} is waived: {}.", finding, text_at(report, "title"),
                               text_at(report, "version"), verdict_text(report))) +
         "\n";
}

}  // namespace reelway::cli
