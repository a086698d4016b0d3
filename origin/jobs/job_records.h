#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "origin/catalog/records.h"
#include "origin/jobs/task.h"
#include "origin/store/control_store.h"

// Reading and writing the records of jobs. Blocking; errors are the store's, and stored_data_corrupt.

namespace reelway::origin {

Result<JobRecord> read_job(ControlStore& store, std::string_view job);  // job_not_found
Result<void> write_job(ControlStore& store, const JobRecord& record);
// All jobs, the oldest first.
Result<std::vector<JobRecord>> read_jobs(ControlStore& store);
bool is_unfinished(const JobRecord& record);

Result<std::optional<EncodePlan>> read_plan(ControlStore& store, std::string_view job);
Result<void> write_plan(ControlStore& store, std::string_view job, const EncodePlan& plan);
// Jobs that have a plan: the others have no parts either.
Result<std::vector<std::string>> planned_jobs(ControlStore& store);
// Removes plan, tasks and claims of a job; the plan last, so that what a crash leaves is found again.
Result<void> erase_parts(ControlStore& store, std::string_view job);

}  // namespace reelway::origin
