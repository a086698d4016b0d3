#pragma once

#include <string>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/ingest/upload.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

// Makes an upload, complete, of an original that is on the disk, for a new version of its title: a second name of the
// same file, so it takes no room. Blocking. not_found_on_disk, io_failed, errors of the control store.
Result<UploadRecord> upload_of_original(ControlStore& store, const Catalog& catalog, const Uploads& uploads,
                                        const Clock& clock, Random& random, const VersionRecord& version);

}  // namespace reelway::origin
