#pragma once

#include <vector>

#include "origin/catalog/catalog.h"
#include "origin/quality/report.h"
#include "origin/quality/rules.h"
#include "origin/transcode/transcoder.h"

// What a version's job makes of the files that were delivered with the picture. They lie with the original by now.

namespace reelway::origin {

// By how much a file of sound may be longer or shorter than the picture. More is another cut of the film.
inline constexpr double kSoundLengthDifferenceMax_s = 0.5;

bool brings_sound(const VersionRecord& version);

// An output for each file of sound, as the manifest has them; the first of role main is the default. Blocking: reads
// each through. manifest_invalid with the manifest's line when a file is not what the manifest says, or does not fit
// the picture; errors of probe(), with that line.
Result<std::vector<AudioOutput>> delivered_sound(const VersionRecord& version, const Catalog& catalog, double picture_s,
                                                 const TranscodeOptions& options, const StopSignal& stop);

// The rules for subtitles over each file of them, added to the report. Blocking. subtitle_malformed with the line.
Result<void> check_delivered_subtitles(const VersionRecord& version, const Catalog& catalog, const QualityRules& rules,
                                       QualityReport& report);

}  // namespace reelway::origin
