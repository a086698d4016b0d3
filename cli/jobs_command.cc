#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "cli/jobs_report.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "common/base/encoding.h"

namespace reelway::cli {
namespace {

struct JobsOptions {
  std::string job;
  bool cancel = false;
  bool watch = false;
};

constexpr int kWatchFailuresMax = 20;
constexpr std::chrono::milliseconds kWatchInterval{500};

// Until the job has ended, or waits for somebody. What is wrong with the connection for a moment is passed over.
Result<void> watch_job(Session& session, const HttpClient& origin, const std::string& path) {
  ProgressDisplay display{stderr, session.err, session.clock};
  if (!session.json) display.begin("queued");
  for (int failures = 0;;) {
    const auto job = origin.get(path);
    if (!job && (!job.error().retry || ++failures == kWatchFailuresMax)) return job.error();
    if (job) {
      failures = 0;
      const std::string state = text_at(*job, "state");
      if (state != "queued" && state != "running") {
        if (session.json) {
          session.print_json(*job);
        } else {
          state == "done" ? display.end() : display.abandon();
          session.print(job_report(*job, session.out));
        }
        return {};
      }
      if (!session.json) show_job_progress(display, *job);
    }
    std::this_thread::sleep_for(kWatchInterval);
  }
}

Result<void> show_jobs(Session& session, const JobsOptions& options) {
  const auto origin = session.origin();
  if (!origin) return origin.error();
  const std::string path = "/v1/jobs/" + percent_encoded(options.job);
  if (options.watch) return watch_job(session, *origin, path);
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
  reelway jobs 3f2a... --watch    follow it to its end, with the time left
  reelway jobs 3f2a... --cancel   end it; the original film is kept
  reelway --json jobs | jq -r '.jobs[] | select(.state == "running") | .title')help";

}  // namespace

void add_jobs(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<JobsOptions>();
  CLI::App* command = app.add_subcommand("jobs", "List the jobs, show one with its parts, or cancel it");
  CLI::Option* job = command->add_option("job", options->job, "Job id; without it all jobs are listed");
  job->type_name("JOB");
  CLI::Option* cancel = command->add_flag("--cancel", options->cancel, "End the job")->needs(job);
  command->add_flag("--watch", options->watch, "Follow the job, stage by stage, until it ends or is held")
      ->needs(job)
      ->excludes(cancel);
  command->footer(kExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return show_jobs(session, *options); }; });
}

}  // namespace reelway::cli
