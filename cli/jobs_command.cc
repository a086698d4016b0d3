#include <CLI/CLI.hpp>
#include <memory>

#include "cli/jobs_report.h"
#include "cli/session.h"
#include "common/base/encoding.h"

namespace reelway::cli {
namespace {

struct JobsOptions {
  std::string job;
  bool cancel = false;
};

Result<void> show_jobs(Session& session, const JobsOptions& options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const std::string path = "/v1/jobs/" + percent_encoded(options.job);
  const auto answer = options.job.empty() ? origin->get("/v1/jobs")
                      : options.cancel    ? origin->post(path + "/cancel", Json::object())
                                          : origin->get(path);
  if (!answer) return answer.error();
  if (session.json)
    session.print_json(*answer);
  else if (options.job.empty())
    session.print(jobs_report(*answer, session.out));
  else if (options.cancel)
    session.print("Job " + printable(options.job) + " is being cancelled.\n");
  else
    session.print(job_report(*answer, session.out));
  return {};
}

constexpr const char* kExamples = R"help(
Examples:
  reelway jobs
  reelway jobs 3f2a...            one job with its parts: who makes which, how far, at what cost
  reelway jobs 3f2a... --cancel   end it; the original film is kept
  reelway --json jobs | jq -r '.jobs[] | select(.state == "running") | .title')help";

}  // namespace

void add_jobs(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<JobsOptions>();
  CLI::App* command = app.add_subcommand("jobs", "List the jobs, show one with its parts, or cancel it");
  CLI::Option* job = command->add_option("job", options->job, "Job id; without it all jobs are listed");
  job->type_name("JOB");
  command->add_flag("--cancel", options->cancel, "End the job")->needs(job);
  command->footer(kExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return show_jobs(session, *options); }; });
}

}  // namespace reelway::cli
