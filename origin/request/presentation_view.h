#pragma once

#include "common/access/view.h"
#include "common/base/result.h"
#include "origin/hls/presentation.h"

namespace reelway::origin {

// The tracks that a view lets its bearer have, by the rule that the edge applies to their paths: what a playlist lists,
// an edge serves. rendition_not_in_offer when no video is left; language_not_in_offer when there is audio, none of it
// in the view's languages. Subtitles may all go, and small pictures are for everybody.
Result<hls::Presentation> presentation_in_view(const hls::Presentation& presentation, const access::View& view);

}  // namespace reelway::origin
