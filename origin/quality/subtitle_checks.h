#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "origin/quality/finding_list.h"

namespace reelway::origin {

// What the rules for subtitles need of the film; all of it may be left out.
struct SubtitleContext {
  std::string name;          // for explanations: "subtitle track 1 (eng)"
  int stream = -1;           // -1: a file of its own
  double film_s = 0;         // 0: not known
  std::vector<double> cuts;  // in order
};

// The rules subtitle_* over a WebVTT or SRT text, of a film's track or of a file beside it. Pure.
void check_subtitles(std::string_view text, const SubtitleContext& context, FindingList& findings);

}  // namespace reelway::origin
