#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "origin/catalog/records.h"
#include "origin/store/control_store.h"
#include "origin/transcode/encode_plan.h"

// What the control store holds about the work on one job, as values and as the JSON text of its keys. Pure.
//
//   /v1/plan/<job>          EncodePlan, once the film has been probed; says which parts there are
//   /v1/task/<job>/<part>   TaskRecord, once somebody has claimed the part
//   /v1/claim/<job>/<part>  ClaimRecord, while somebody works on it; its create revision is the fencing token
//
// All of them go when the job has ended.

namespace reelway::origin {

struct TaskFile {
  std::string name;  // within the task's folder
  std::uint64_t bytes = 0;
  std::uint32_t crc32c = 0;
};

struct TaskRecord {
  std::int64_t claims = 0;    // how often somebody has begun
  std::int64_t failures = 0;  // how often it was tried to the end in vain; a lost claim is none
  bool done = false;
  std::string worker;  // who claimed it last
  Revision token = 0;  // of the claim that ended it, once done
  std::vector<TaskFile> files;
  JobCost cost;  // of all tries that came to an end
};

struct ClaimRecord {
  std::string worker;
  std::string nonce;  // tells our own claim from another's when the store could not say whether it was made
  std::int64_t claimed_at_ms = 0;
};

inline constexpr std::string_view kPlanPrefix = "/v1/plan/";
inline constexpr std::string_view kTaskPrefix = "/v1/task/";
inline constexpr std::string_view kClaimPrefix = "/v1/claim/";
std::string plan_key(std::string_view job);
std::string task_key(std::string_view job, std::string_view part);  // empty part: the prefix of all
std::string claim_key(std::string_view job, std::string_view part);

// Without the plan's paths, which differ from machine to machine.
std::string to_json(const EncodePlan& plan);
std::string to_json(const TaskRecord& record);
std::string to_json(const ClaimRecord& record);
// stored_data_corrupt, naming the key.
Result<EncodePlan> parse_plan(std::string_view key, std::string_view json);
Result<TaskRecord> parse_task(std::string_view key, std::string_view json);
Result<ClaimRecord> parse_claim(std::string_view key, std::string_view json);

}  // namespace reelway::origin
