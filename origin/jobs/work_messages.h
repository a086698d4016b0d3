#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "origin/jobs/job_board.h"

// What the origin and a worker elsewhere say to each other (docs/formats/work_port.md), as JSON and back. Both ends are
// the same program's, of perhaps different releases: unknown fields are ignored, what is missing is http_bad_request.

namespace reelway::origin {

inline constexpr std::size_t kFilePieceBytesMax = 4 << 20;  // of one PUT of a part's file

nlohmann::json to_message(const Assignment& assignment);
Result<Assignment> parse_assignment(const nlohmann::json& message);

nlohmann::json to_message(const TaskOutcome& outcome);
Result<TaskOutcome> parse_outcome(const nlohmann::json& message);

nlohmann::json failure_message(const Error& error, const JobCost& cost);
struct Failure {
  Error error;
  JobCost cost;
};
Result<Failure> parse_failure(const nlohmann::json& message);

// A name that may stand in paths and logs: of a job, a part, a worker. At most 64 letters, digits and - _ .
bool is_plain_name(std::string_view text);

// "/v1/work/claims/<job>/<part>/<token>"
std::string claim_path(const ClaimId& claim);

}  // namespace reelway::origin
