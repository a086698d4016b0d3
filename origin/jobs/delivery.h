#pragma once

#include <map>
#include <string>

#include "origin/ingest/manifest.h"
#include "origin/jobs/ingest_jobs.h"

namespace reelway::origin {

// A vendor's delivery whose files have been uploaded.
struct DeliveryRequest {
  std::string manifest;                        // its text
  std::string manifest_name;                   // for complaints
  std::map<std::string, std::string> uploads;  // by the names that the manifest has
  std::int64_t priority = 0;
};

// Begins the title, or its next version, of the picture and with all the files. Blocking. Errors: those of
// parse_manifest() and of IngestJobs::enqueue(); delivery_file_missing and, when a file has another SHA-256 than the
// manifest says, manifest_invalid, both with the manifest's line.
Result<JobRecord> begin_delivery(IngestJobs& jobs, Uploads& uploads, const DeliveryRequest& request);

}  // namespace reelway::origin
