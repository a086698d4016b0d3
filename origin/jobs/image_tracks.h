#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "origin/catalog/records.h"
#include "origin/transcode/encode_plan.h"
#include "origin/transcode/thumbnail_options.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

struct ImageRequest {
  std::string folder;  // of the version's files, joined and indexed
  std::string work;    // where pictures are made, and stay until the job ends: what is whole there is not made again
  const EncodePlan& plan;
  const std::vector<TrackRecord>& tracks;  // the plan's renditions first
  const ThumbnailOptions& options;
};

// The version's small pictures, in its folder and durable but for the folder itself; `cost` is told what it took. Every
// file is read back as it will be served, and is what its index says. Blocking. Errors as make_thumbnails(), and
// io_failed.
Result<std::vector<ImageTrackRecord>> make_image_tracks(const ImageRequest& request, const TranscodeOptions& options,
                                                        const StopSignal& stop,
                                                        const std::function<void(double)>& on_progress, JobCost& cost);

}  // namespace reelway::origin
