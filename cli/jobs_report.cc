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

}  // namespace

std::string jobs_report(const Json& answer, const Terminal& terminal) {
  const Json& jobs = list_at(answer, "jobs");
  if (jobs.empty()) return "No jobs.\n";
  Table table({{"JOB"},
               {"TITLE"},
               {"VERSION"},
               {"STATE"},
               {"STAGE"},
               {"DONE", Align::right},
               {"CPU", Align::right},
               {"WRITTEN", Align::right},
               {"BEGUN"}});
  for (const Json& job : jobs) {
    table.add({text_at(job, "job"), text_at(job, "title"), text_at(job, "version"), text_at(job, "state"),
               text_at(job, "stage"), percent(job), cpu_time(job), written(job), text_at(job, "created_at")});
  }
  return table.render(terminal);
}

std::string job_report(const Json& job, const Terminal& terminal) {
  std::string text =
      fmt::format("{} {}: {}, {}, {}\n", printable(text_at(job, "title")), printable(text_at(job, "version")),
                  printable(text_at(job, "state")), printable(text_at(job, "stage")), percent(job));
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
