#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "origin/jobs/task.h"
#include "origin/transcode/encode_plan.h"

namespace reelway::origin {

struct DonePart {
  std::string folder;
  TaskRecord record;
};

// Makes the track files of the plan, in its output folder, from its parts in their order: the video's parts of each
// rendition become one file, audio is taken as it is. Each part's file is compared with the sum of when it was made;
// stored_data_corrupt names the one that differs. The result does not depend on who made which part, or how often.
// not_found_on_disk, disk_full, io_failed, transcode_failed.
Result<void> join_parts(const EncodePlan& plan, const std::vector<DonePart>& parts);

}  // namespace reelway::origin
