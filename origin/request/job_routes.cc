#include "origin/request/api_routes.h"
#include "origin/request/iso_time.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

json cost_json(const JobCost& cost) {
  return {{"cpu_s", cost.cpu_s}, {"wall_s", cost.wall_s}, {"bytes", cost.bytes}};
}

json job_json(const JobRecord& job) {
  json value = {{"job", job.job},
                {"kind", "ingest"},
                {"title", job.title},
                {"version", job.version},
                {"state", name_of(job.state)},
                {"stage", name_of(job.stage)},
                {"progress", job.progress},
                {"priority", job.priority},
                {"attempts", job.attempts},
                {"parts", job.parts},
                {"claims", job.claims},
                {"failures", job.failures},
                {"cost", cost_json(job.cost)},
                {"created_at", iso_time(job.created_at_ms)}};
  if (job.state == JobState::running) {
    value["stage_progress"] = job.stage_progress;
    value["left_s"] = job.left_ms ? json(*job.left_ms / 1000) : json(nullptr);
  }
  if (job.error) value["error"] = error_object(*job.error);
  return value;
}

json part_json(const PartStatus& part) {
  return {{"part", part.name},           {"state", part.done ? "done" : part.worker.empty() ? "waiting" : "running"},
          {"progress", part.progress},   {"worker", part.worker.empty() ? json(nullptr) : json(part.worker)},
          {"claims", part.claims},       {"failures", part.failures},
          {"cost", cost_json(part.cost)}};
}

}  // namespace

Result<Reply> list_jobs(const ApiServices& services, const ApiCall&) {
  const auto jobs = services.jobs.list();
  if (!jobs) return jobs.error();
  json list = json::array();
  for (const JobRecord& job : *jobs) list.push_back(job_json(job));
  return Reply{200, {{"jobs", std::move(list)}}};
}

Result<Reply> show_job(const ApiServices& services, const ApiCall& call) {
  const auto job = services.jobs.status(call.parameters.at(0));
  if (!job) return job.error();
  json value = job_json(*job);
  value["making"] = json::array();
  for (const PartStatus& part : services.jobs.board().parts(job->job)) value["making"].push_back(part_json(part));
  return Reply{200, std::move(value)};
}

Result<Reply> cancel_job(const ApiServices& services, const ApiCall& call) {
  const auto job = services.jobs.cancel(call.parameters.at(0));
  if (!job) return job.error();
  return Reply{202, job_json(*job)};
}

}  // namespace reelway::origin
