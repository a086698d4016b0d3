#pragma once

#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/jobs/work_folders.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

// Removes what a crash has left behind and nobody can use, before any job runs: version folders that no record
// publishes, records of the parts of jobs that have ended, and work folders but those of parts that are done or
// claimed. Blocking.
Result<void> remove_leftovers(ControlStore& store, Catalog& catalog, const std::string& data_dir,
                              const WorkFolders& folders);

}  // namespace reelway::origin
