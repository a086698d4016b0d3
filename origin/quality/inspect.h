#pragma once

#include <functional>
#include <string>

#include "common/base/result.h"
#include "origin/quality/report.h"
#include "origin/quality/rules.h"
#include "origin/transcode/source_facts.h"
#include "origin/transcode/stop_signal.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

// Checks a film: reads its packets through, decodes it once, applies the rules, and makes a small picture (of sound:
// its wave) for each finding that has a place. `folder` exists and takes those, "black-1.jpg", "silence-2.png"; they
// may be published as they are. `facts` are probe()'s of the same source. Blocking: 1.2 to 1.6 times a plain decode; up
// to a minute for the pictures of a film with many faults. The report's title, version and checked_at_ms are left to
// the caller (quality_store.h).
//
// A film with faults is a report with findings, not an error. Errors: media_unreadable when nothing of it could be
// decoded, media_unsupported beyond a limit, disk_full; shutting_down, timed_out, sandbox_unavailable.
Result<QualityReport> inspect(const std::string& source, const SourceFacts& facts, const QualityRules& rules,
                              const TranscodeOptions& options, const std::string& folder, const StopSignal& stop,
                              const std::function<void(double)>& on_progress);

}  // namespace reelway::origin
