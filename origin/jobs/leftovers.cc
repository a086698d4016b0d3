#include "origin/jobs/leftovers.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/jobs/job_records.h"

namespace reelway::origin {
namespace {

// Folders in titles/ that no published or ready record owns: a crash came between their rename and their transaction,
// or somebody has rejected them.
Result<void> remove_unpublished(Catalog& catalog, const std::string& titles) {
  REELWAY_TRY(make_folders(titles));
  std::error_code failure;
  for (const auto& title : std::filesystem::directory_iterator(titles, failure)) {
    for (const auto& folder : std::filesystem::directory_iterator(title.path(), failure)) {
      const std::string name = title.path().filename().string(), version = folder.path().filename().string();
      const Result<VersionRecord> record = catalog.version(name, version);
      const bool is_unknown = !record.ok() && (record.error().code == ErrorCode::title_not_found ||
                                               record.error().code == ErrorCode::version_not_found);
      if (!record.ok() && !is_unknown) return record.error();
      if (record.ok() && (record->state == VersionState::published || record->state == VersionState::ready)) continue;
      telemetry::log_warn("removing the unpublished version folder {}", folder.path().string());
      REELWAY_TRY(remove_all(folder.path().string()));
    }
  }
  if (failure) return system_error("list", titles, failure.value());
  return {};
}

// The folders of a job's parts that are made, or that a worker elsewhere may be filling.
Result<std::set<std::string>> used_folders(ControlStore& store, const WorkFolders& folders, const std::string& job) {
  std::set<std::string> used;
  const Result<std::optional<EncodePlan>> plan = read_plan(store, job);
  if (!plan.ok()) return plan.error();
  if (!plan->has_value()) return used;
  for (const EncodePart& part : encode_parts(**plan)) {
    const Result<std::optional<KeyValue>> task = store.get(task_key(job, part.name));
    const Result<std::optional<KeyValue>> claim = store.get(claim_key(job, part.name));
    if (!task.ok()) return task.error();
    if (!claim.ok()) return claim.error();
    if (claim->has_value()) used.insert(folders.part(job, part.name, (*claim)->create_revision));
    if (!task->has_value()) continue;
    const Result<TaskRecord> record = parse_task((*task)->key, (*task)->value);
    if (!record.ok()) return record.error();
    if (record->done) used.insert(folders.part(job, part.name, record->token));
  }
  return used;
}

Result<void> remove_unused(const std::string& folder, const std::set<std::string>& used) {
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
    if (!used.contains(entry.path().string())) REELWAY_TRY(remove_all(entry.path().string()));
  }
  if (failure) return system_error("list", folder, failure.value());
  return {};
}

}  // namespace

Result<void> remove_leftovers(ControlStore& store, Catalog& catalog, const std::string& data_dir,
                              const WorkFolders& folders) {
  REELWAY_TRY(remove_unpublished(catalog, data_dir + "/titles"));
  const Result<std::vector<JobRecord>> jobs = read_jobs(store);
  if (!jobs.ok()) return jobs.error();
  std::set<std::string> unfinished, job_folders;
  for (const JobRecord& job : *jobs) {
    if (!is_unfinished(job)) continue;
    unfinished.insert(job.job);
    job_folders.insert(folders.job(job.job));
  }
  const Result<std::vector<std::string>> planned = planned_jobs(store);
  if (!planned.ok()) return planned.error();
  for (const std::string& job : *planned) {
    if (!unfinished.contains(job)) REELWAY_TRY(erase_parts(store, job));
  }
  REELWAY_TRY(make_folders(folders.root()));
  REELWAY_TRY(remove_unused(folders.root(), job_folders));
  for (const std::string& job : unfinished) {
    if (!exists(folders.job(job))) continue;
    const Result<std::set<std::string>> used = used_folders(store, folders, job);
    if (!used.ok()) return used.error();
    if (used->empty())
      REELWAY_TRY(remove_all(folders.job(job)));
    else
      REELWAY_TRY(remove_unused(folders.job(job), *used));
  }
  return {};
}

}  // namespace reelway::origin
