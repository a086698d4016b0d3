#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "origin/catalog/delivered_file.h"
#include "origin/catalog/side_tracks.h"
#include "origin/catalog/sound_level.h"

// What the control store holds about films, as values and as the JSON text of its keys. Pure.
//
//   /v1/title/<title>              TitleRecord
//   /v1/version/<title>/<version>  VersionRecord
//   /v1/job/<job>                  JobRecord
//   /v1/upload/<upload>            UploadRecord
//
// Every text carries "format":1. A text of another format or shape is stored_data_corrupt and names the key.

namespace reelway::origin {

// unpublished: somebody has taken the title off; no version of it plays.
enum class TitleState : std::uint8_t { ingesting, published, failed, unpublished };
// ready: made and verified, and not approved yet. removed: was published or had failed; its files are gone or going.
enum class VersionState : std::uint8_t { building, published, failed, ready, removed };
// held: nothing is wrong with the job, but somebody has to decide something (JobRecord::error says what).
enum class JobState : std::uint8_t { queued, running, done, failed, held };
enum class JobStage : std::uint8_t { probe, transcode, index, publish, quality, verify, rates, images };
enum class UploadState : std::uint8_t { waiting, complete, taken };

// What somebody, or a rule, did about which version plays.
enum class TitleAction : std::uint8_t { publish, approve, roll_back, unpublish };

// What making a version took, over all machines: media tools' CPU seconds, seconds of their running, bytes written.
struct JobCost {
  double cpu_s = 0, wall_s = 0;
  std::uint64_t bytes = 0;
};

struct TitleEvent {
  TitleAction action = TitleAction::publish;
  std::string version;  // that plays from then on; of unpublish: that played
  std::string by;       // empty: the rule of publish.approval
  std::string reason;
  std::int64_t at_ms = 0;
};
inline constexpr std::size_t kTitleEventsMax = 50;  // the oldest go first
// How the bit rates of a version's pictures were chosen for it. No samples: they are those of the table.
struct RateProbe {
  std::uint32_t samples = 0;
  double seconds = 0;  // of film, in all samples
  double cpu_s = 0;    // of media tools
  bool operator==(const RateProbe&) const = default;
};

struct TitleRecord {
  std::string title;
  std::string name;  // for people
  TitleState state = TitleState::ingesting;
  std::string current_version;  // "v1"; empty while none is published
  std::string latest_version;   // the highest number handed out
  std::int64_t created_at_ms = 0;
  std::optional<Error> error;  // of the last ingest that failed, until one succeeds
  std::vector<TitleEvent> history;
};

struct TrackRecord {
  std::string id;    // "video/720"
  std::string name;  // "English"
  bool is_default = false;
  std::string file;   // "video-720.mp4", within the version's folder
  std::string index;  // "video-720.idx"
  std::uint64_t bytes = 0;
  // Of both files as they were verified, lower-case hex; empty in versions of before that was kept.
  std::string sha256, index_sha256;
  std::optional<SoundLevel> level = {};  // of audio; none in versions of before sound was levelled
  // Of video: the average that the encoder was given, bits per second, and what the table gives a picture of that size.
  // 0 in records of before rates were chosen for each film.
  std::uint32_t target_bits = 0, table_bits = 0;
};

struct VersionRecord {
  std::string title;
  std::string version;  // "v1"
  VersionState state = VersionState::building;
  std::string job;
  std::string sha256;  // of the original, lower-case hex
  std::uint64_t source_bytes = 0;
  std::int64_t duration_ms = 0;
  std::string language;
  std::uint32_t units_per_segment = 3;
  std::vector<TrackRecord> tracks;
  std::vector<TextTrackRecord> texts;    // none in versions of before subtitles were tracks
  std::vector<ImageTrackRecord> images;  // none in versions of before there were any
  std::vector<DeliveredFile> files;      // that came with the original
  bool is_protected = false;             // handed out encrypted only
  JobCost cost;
  RateProbe probe;
  std::int64_t created_at_ms = 0;
  std::int64_t published_at_ms = 0;
  std::int64_t replaced_at_ms = 0;  // when another version came to play in its place; 0: plays now, or never did
  // Who approved or rejected it, and when; empty: nobody, or the rule of publish.approval.
  std::string decided_by, decision_reason;
  std::int64_t decided_at_ms = 0;
  std::optional<Error> error;
};

struct JobRecord {
  std::string job;
  std::string title;
  std::string version;
  std::string upload;  // whose file is the original, until it has been moved to originals/
  JobState state = JobState::queued;
  JobStage stage = JobStage::probe;
  double progress = 0;  // of the whole job, 0 to 1
  // Of a running job, and not stored: of its stage, and what the whole will still take by what was measured.
  double stage_progress = 0;
  std::optional<std::int64_t> left_ms;
  std::int64_t priority = 0;  // a higher one comes first
  std::int64_t attempts = 0;
  std::int64_t created_at_ms = 0;
  JobCost cost;                                      // of the parts that are done
  std::int64_t parts = 0, claims = 0, failures = 0;  // of the whole job, once it is done
  std::optional<Error> error;
};

struct UploadRecord {
  std::string upload;
  std::string filename;          // as the client named it; never used as a path
  std::uint64_t size_bytes = 0;  // announced
  std::string title;
  bool new_version = false;
  UploadState state = UploadState::waiting;
  std::string sha256;  // once complete
  std::int64_t created_at_ms = 0;
  // Of uploads by tus (docs/ingest.md).
  bool resumable = false;   // its bytes come by PATCH; how far they are is in its progress file
  bool partial = false;     // only to be concatenated: never turns complete, and names no title
  std::string parts;        // the Upload-Concat of a final upload
  std::string metadata;     // Upload-Metadata, as the client sent it
  std::string fingerprint;  // of the client's file, by which the client finds this upload again
  // Once complete.
  std::int64_t completed_at_ms = 0;
  std::string duplicate_of;  // an original that has the same bytes: "<title>/<version>";
};

std::string_view name_of(TitleState state);
std::string_view name_of(TitleAction action);
std::string_view name_of(VersionState state);
std::string_view name_of(JobState state);
std::string_view name_of(JobStage stage);
std::string_view name_of(UploadState state);

std::string title_key(std::string_view title);
std::string version_key(std::string_view title, std::string_view version);
std::string job_key(std::string_view job);
std::string upload_key(std::string_view upload);
inline constexpr std::string_view kTitlePrefix = "/v1/title/";
inline constexpr std::string_view kVersionPrefix = "/v1/version/";
inline constexpr std::string_view kJobPrefix = "/v1/job/";
inline constexpr std::string_view kUploadPrefix = "/v1/upload/";

std::string to_json(const TitleRecord& record);
std::string to_json(const VersionRecord& record);
std::string to_json(const JobRecord& record);
std::string to_json(const UploadRecord& record);

// `key` is where the text was found: the identifiers come from it, and errors name it.
Result<TitleRecord> parse_title(std::string_view key, std::string_view json);
Result<VersionRecord> parse_version_record(std::string_view key, std::string_view json);
Result<JobRecord> parse_job(std::string_view key, std::string_view json);
Result<UploadRecord> parse_upload(std::string_view key, std::string_view json);

// "v7" -> 7, and back. Zero for a text that is no version.
std::uint32_t version_number(std::string_view version);
std::string version_name(std::uint32_t number);

}  // namespace reelway::origin
