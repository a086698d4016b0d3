#pragma once

#include <memory>

#include "common/access/clip.h"
#include "common/base/result.h"
#include "origin/catalog/catalog.h"

namespace reelway::origin {

// A clip as a version of its own: the same files, with indexes of its units only, and the cues of its time. It has no
// small pictures: those are of the whole film. clip_invalid.
Result<std::shared_ptr<const PublishedVersion>> published_clip(std::shared_ptr<const PublishedVersion> whole,
                                                               const access::Clip& clip);

// The key frames around two times of the film: the last one at or before `from_ms`, and the first one at or after
// `to_ms` or the film's end. clip_invalid when the film has ended before, or has no picture.
Result<access::Clip> clip_between(const PublishedVersion& version, std::int64_t from_ms, std::int64_t to_ms);
// When it begins and ends in the film, in milliseconds.
struct ClipTimes {
  std::int64_t from_ms = 0, to_ms = 0;
};
ClipTimes clip_times(const PublishedVersion& version, const access::Clip& clip);

}  // namespace reelway::origin
