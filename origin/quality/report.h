#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "origin/quality/rules.h"
#include "origin/transcode/crop_frame.h"
#include "origin/transcode/loudness.h"

// What the checks found in one version of a film, as a value and as the JSON text of its key. Pure.
//
//   /v1/quality/<title>/<version>  QualityReport, "format":1
//
// Times are seconds from the film's first moment, as a player shows them.

namespace reelway::origin {

inline constexpr std::size_t kFindingsMax = 400;       // of a report
inline constexpr std::size_t kFindingsOfRuleMax = 40;  // of one rule and stream; what is beyond is counted
inline constexpr std::size_t kExplanationBytesMax = 600;
inline constexpr std::size_t kReasonBytesMax = 500;

// Somebody has looked and takes responsibility.
struct Waiver {
  std::string by;
  std::string reason;
  std::int64_t at_ms = 0;
  bool operator==(const Waiver&) const = default;
};

struct Finding {
  std::string id;  // "black-1": unique within its report
  Rule rule{};
  Severity severity = Severity::warn;
  int stream = -1;  // of the source; -1: the file as a whole
  double from_s = 0, to_s = 0;
  double measured = 0, limit = 0;  // in the rule's unit
  std::string explanation;         // for a content editor
  std::string picture;             // file in the report's folder; empty: none
  std::optional<Waiver> waiver;
};

// Of one audio track, by EBU R 128: what levelling needs.
struct TrackLoudness {
  int stream = -1;
  double integrated_lufs = -70;
  double range_lu = 0;
  double true_peak_dbtp = -200;
  // Of what a transcode mixes from it (transcode/channel_mix.h), where that differs from it.
  std::optional<SoundMeasure> stereo = {}, surround = {};
};

struct QualityReport {
  std::string title, version;  // by the key
  double duration_s = 0;
  std::int64_t checked_at_ms = 0;
  std::vector<Finding> findings;  // by rule, then by time
  std::uint64_t dropped = 0;      // findings beyond the limits
  std::vector<TrackLoudness> loudness;
  std::optional<CropFrame> crop;  // cuts off bars and never picture; none: nothing to cut
  bool interlaced = false;        // by its pictures, whatever the file says
  bool telecine = false;
};

// Whether a version may be published, and what stands against it.
struct Verdict {
  bool holds = false;                                             // a blocking finding is not waived
  std::size_t blocking = 0, warnings = 0, infos = 0, waived = 0;  // the first three without the waived ones
};
Verdict verdict(const QualityReport& report);

// Waivers of a former report stay with the findings of the new one that are of the same rule and stream, begin within
// half a second of the waived one and are no longer than it was by more than half a second.
void keep_waivers(QualityReport& report, const QualityReport& former);

std::string quality_key(std::string_view title, std::string_view version);
inline constexpr std::string_view kQualityPrefix = "/v1/quality/";

// Where the pictures of a version's report lie.
std::string pictures_folder(const std::string& data_dir, std::string_view title, std::string_view version);
inline constexpr std::uint64_t kPictureBytesMax = 16 << 20;  // of one
std::string to_json(const QualityReport& report);
// stored_data_corrupt names the key.
Result<QualityReport> parse_quality_report(std::string_view key, std::string_view json);

}  // namespace reelway::origin
