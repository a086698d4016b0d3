#include "cli/jobs_report.h"

#include <spdlog/fmt/fmt.h>

#include "cli/quantity.h"
#include "cli/table.h"
#include "cli/title_report.h"

namespace reelway::cli {
namespace {

std::string percent(const Json& object) {
  return fmt::format("{:.0f} %", 100 * number_at(object, "progress").value_or(0));
}

std::string cpu_time(const Json& object) {
  return fmt::format("{:.1f} s", number_at(object_at(object, "cost"), "cpu_s").value_or(0));
}

std::string written(const Json& object) {
  return format_bytes(count_at(object_at(object, "cost"), "bytes"));
}

std::optional<std::chrono::seconds> left_of(const Json& job) {
  const auto left_s = number_at(job, "left_s");
  if (!left_s || *left_s < 0) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(*left_s));
}

}  // namespace

std::string time_left(const Json& job) {
  const auto left = left_of(job);
  return left ? format_span(*left) : "-";
}

void show_job_progress(ProgressDisplay& display, const Json& job) {
  const std::string state = text_at(job, "state");
  if (state == "running") display.relabel(text_at(job, "stage"));
  std::string detail;
  if (const auto part = number_at(job, "stage_progress")) detail = fmt::format("{:.0f} % of this stage", 100 * *part);
  display.update(number_at(job, "progress").value_or(0), std::move(detail), left_of(job));
}

std::string jobs_report(const Json& answer, const Terminal& terminal) {
  const Json& jobs = list_at(answer, "jobs");
  if (jobs.empty()) return "No jobs.\n";
  Table table({{"JOB"},
               {"TITLE"},
               {"VERSION"},
               {"STATE"},
               {"STAGE"},
               {"DONE", Align::right},
               {"LEFT", Align::right},
               {"CPU", Align::right},
               {"WRITTEN", Align::right},
               {"BEGUN"}});
  for (const Json& job : jobs) {
    table.add({text_at(job, "job"), text_at(job, "title"), text_at(job, "version"), text_at(job, "state"),
               text_at(job, "stage"), percent(job), time_left(job), cpu_time(job), written(job),
               text_at(job, "created_at")});
  }
  return table.render(terminal);
}

std::string job_report(const Json& job, const Terminal& terminal) {
  std::string text =
      fmt::format("{} {}: {}, {}, {}\n", printable(text_at(job, "title")), printable(text_at(job, "version")),
                  printable(text_at(job, "state")), printable(text_at(job, "stage")), percent(job));
  if (const auto part = number_at(job, "stage_progress")) {
    text += fmt::format("{:.0f} % of this stage; time left: {}\n", 100 * *part, time_left(job));
  }
  text += fmt::format("{} of CPU, {} written; {} parts, begun {} times, {} failures\n", cpu_time(job), written(job),
                      count_at(job, "parts"), count_at(job, "claims"), count_at(job, "failures"));
  if (!object_at(job, "error").empty()) text += "Error: " + printable(error_text(field_at(job, "error"))) + "\n";
  const Json& making = list_at(job, "making");
  if (making.empty()) return text;
  Table table({{"PART"},
               {"STATE"},
               {"WORKER"},
               {"DONE", Align::right},
               {"BEGUN", Align::right},
               {"FAILED", Align::right},
               {"CPU", Align::right},
               {"WRITTEN", Align::right}});
  for (const Json& part : making) {
    table.add({text_at(part, "part"), text_at(part, "state"), text_at(part, "worker"), percent(part),
               std::to_string(count_at(part, "claims")), std::to_string(count_at(part, "failures")), cpu_time(part),
               written(part)});
  }
  return text + "\n" + table.render(terminal);
}

}  // namespace reelway::cli
