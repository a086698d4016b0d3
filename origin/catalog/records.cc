#include "origin/catalog/records.h"

#include <array>
#include <charconv>
#include <utility>

#include "origin/catalog/record_fields.h"

namespace reelway::origin {
namespace {

constexpr const char* kProtected = "protected";

using Json = nlohmann::json;

constexpr std::array<std::string_view, 4> kTitleStates{"ingesting", "published", "failed", "unpublished"};
constexpr std::array<std::string_view, 4> kTitleActions{"publish", "approve", "roll_back", "unpublish"};
constexpr std::array<std::string_view, 5> kVersionStates{"building", "published", "failed", "ready", "removed"};
constexpr std::array<std::string_view, 5> kJobStates{"queued", "running", "done", "failed", "held"};
constexpr std::array<std::string_view, 8> kJobStages{"probe",   "transcode", "index", "publish",
                                                     "quality", "verify",    "rates", "images"};
constexpr std::array<std::string_view, 3> kUploadStates{"waiting", "complete", "taken"};

Json history_value(const std::vector<TitleEvent>& history) {
  Json value = Json::array();
  for (const TitleEvent& event : history) {
    value.push_back({{"action", name_of(event.action)},
                     {"version", event.version},
                     {"by", event.by},
                     {"reason", event.reason},
                     {"at_ms", event.at_ms}});
  }
  return value;
}

// Absent in records of before it was kept.
std::vector<TitleEvent> history_of(std::string_view key, RecordFields& fields) {
  std::vector<TitleEvent> history;
  const Json* field = fields.find("history");
  if (field == nullptr) return history;
  if (!field->is_array()) return fields.fail("history"), history;
  for (const Json& entry : *field) {
    RecordFields event(key, entry);
    const TitleEvent read{event.state<TitleAction>("action", kTitleActions), event.text("version"), event.text("by"),
                          event.text("reason"), event.number<std::int64_t>("at_ms")};
    if (!event.finish(read).ok()) return fields.fail("history"), history;
    history.push_back(read);
  }
  return history;
}

Json track_value(const TrackRecord& track) {
  Json value = {{"id", track.id},     {"name", track.name},   {"default", track.is_default},
                {"file", track.file}, {"index", track.index}, {"bytes", track.bytes}};
  if (!track.sha256.empty()) value["sha256"] = track.sha256;
  if (!track.index_sha256.empty()) value["index_sha256"] = track.index_sha256;
  if (track.table_bits != 0) {
    value["target_bits"] = track.target_bits;
    value["table_bits"] = track.table_bits;
  }
  if (track.level) value["level"] = level_value(*track.level);
  return value;
}

Result<TrackRecord> track_of(std::string_view key, const Json& entry) {
  RecordFields fields(key, entry);
  TrackRecord track;
  track.id = fields.text("id");
  track.name = fields.text("name");
  track.is_default = fields.flag("default");
  track.file = fields.text("file");
  track.index = fields.text("index");
  track.bytes = fields.number<std::uint64_t>("bytes");
  if (fields.find("sha256") != nullptr) track.sha256 = fields.text("sha256");
  if (fields.find("index_sha256") != nullptr) track.index_sha256 = fields.text("index_sha256");
  if (fields.find("table_bits") != nullptr) {
    track.target_bits = fields.number<std::uint32_t>("target_bits");
    track.table_bits = fields.number<std::uint32_t>("table_bits");
  }
  if (const Json* level = fields.find("level"); level != nullptr) {
    const Result<SoundLevel> parsed = parse_level(key, *level);
    if (!parsed.ok()) return parsed.error();
    track.level = *parsed;
  }
  return fields.finish(std::move(track));
}

}  // namespace

std::string_view name_of(TitleState state) {
  return kTitleStates[static_cast<std::size_t>(state)];
}
std::string_view name_of(TitleAction action) {
  return kTitleActions[static_cast<std::size_t>(action)];
}
std::string_view name_of(VersionState state) {
  return kVersionStates[static_cast<std::size_t>(state)];
}
std::string_view name_of(JobState state) {
  return kJobStates[static_cast<std::size_t>(state)];
}
std::string_view name_of(JobStage stage) {
  return kJobStages[static_cast<std::size_t>(stage)];
}
std::string_view name_of(UploadState state) {
  return kUploadStates[static_cast<std::size_t>(state)];
}

std::string title_key(std::string_view title) {
  return std::string(kTitlePrefix).append(title);
}
std::string version_key(std::string_view title, std::string_view version) {
  return std::string(kVersionPrefix).append(title).append("/").append(version);
}
std::string job_key(std::string_view job) {
  return std::string(kJobPrefix).append(job);
}
std::string upload_key(std::string_view upload) {
  return std::string(kUploadPrefix).append(upload);
}

std::string to_json(const TitleRecord& record) {
  Json json = {{"name", record.name},
               {"state", name_of(record.state)},
               {"current_version", record.current_version},
               {"latest_version", record.latest_version},
               {"created_at_ms", record.created_at_ms},
               {"error", error_value(record.error)}};
  if (!record.history.empty()) json["history"] = history_value(record.history);
  return dump_record(std::move(json));
}

Result<TitleRecord> parse_title(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  TitleRecord record;
  record.title = after_prefix(key, kTitlePrefix);
  record.name = fields.text("name");
  record.state = fields.state<TitleState>("state", kTitleStates);
  record.current_version = fields.text("current_version");
  record.latest_version = fields.text("latest_version");
  record.created_at_ms = fields.number<std::int64_t>("created_at_ms");
  record.error = fields.error();
  record.history = history_of(key, fields);
  return fields.finish(std::move(record));
}

std::string to_json(const VersionRecord& record) {
  Json tracks = Json::array();
  for (const TrackRecord& track : record.tracks) tracks.push_back(track_value(track));
  Json json = {{"state", name_of(record.state)},
               {"job", record.job},
               {"sha256", record.sha256},
               {"source_bytes", record.source_bytes},
               {"duration_ms", record.duration_ms},
               {"language", record.language},
               {"units_per_segment", record.units_per_segment},
               {"tracks", std::move(tracks)},
               {"files", delivered_value(record.files)},
               {"cost", cost_value(record.cost)},
               {"probe", probe_value(record.probe)},
               {"created_at_ms", record.created_at_ms},
               {"published_at_ms", record.published_at_ms},
               {"error", error_value(record.error)}};
  if (!record.texts.empty()) json["texts"] = texts_value(record.texts);
  if (!record.images.empty()) json["images"] = images_value(record.images);
  if (record.is_protected) json["protection"] = kProtected;
  if (record.replaced_at_ms != 0) json["replaced_at_ms"] = record.replaced_at_ms;
  if (!record.decided_by.empty()) json["decided_by"] = record.decided_by;
  if (!record.decision_reason.empty()) json["decision_reason"] = record.decision_reason;
  if (record.decided_at_ms != 0) json["decided_at_ms"] = record.decided_at_ms;
  return dump_record(std::move(json));
}

Result<VersionRecord> parse_version_record(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  VersionRecord record;
  const std::string names = after_prefix(key, kVersionPrefix);
  const std::size_t slash = names.find('/');
  if (slash == std::string::npos)
    fields.fail("key");
  else
    record.version = names.substr(slash + 1);
  record.title = names.substr(0, slash);
  record.state = fields.state<VersionState>("state", kVersionStates);
  record.job = fields.text("job");
  record.sha256 = fields.text("sha256");
  record.source_bytes = fields.number<std::uint64_t>("source_bytes");
  record.duration_ms = fields.number<std::int64_t>("duration_ms");
  record.language = fields.text("language");
  record.units_per_segment = fields.number<std::uint32_t>("units_per_segment");
  record.created_at_ms = fields.number<std::int64_t>("created_at_ms");
  record.published_at_ms = fields.number<std::int64_t>("published_at_ms");
  record.error = fields.error();
  record.cost = cost_of(key, fields);
  record.probe = probe_of(key, fields);
  // Absent in versions of before there was protection.
  if (fields.find("protection") != nullptr) record.is_protected = fields.text("protection") == kProtected;
  if (fields.find("replaced_at_ms") != nullptr) record.replaced_at_ms = fields.number<std::int64_t>("replaced_at_ms");
  if (fields.find("decided_by") != nullptr) record.decided_by = fields.text("decided_by");
  if (fields.find("decision_reason") != nullptr) record.decision_reason = fields.text("decision_reason");
  if (fields.find("decided_at_ms") != nullptr) record.decided_at_ms = fields.number<std::int64_t>("decided_at_ms");
  Result<std::vector<DeliveredFile>> files = delivered_files(key, fields.find("files"));
  if (!files.ok()) return std::move(files).error();
  record.files = std::move(files).value();
  Result<std::vector<TextTrackRecord>> texts = text_tracks(key, fields.find("texts"));
  if (!texts.ok()) return std::move(texts).error();
  record.texts = std::move(texts).value();
  Result<std::vector<ImageTrackRecord>> images = image_tracks(key, fields.find("images"));
  if (!images.ok()) return std::move(images).error();
  record.images = std::move(images).value();
  const Json* tracks = fields.find("tracks");
  if (tracks == nullptr || !tracks->is_array()) return fields.fail("tracks"), fields.finish(std::move(record));
  for (const Json& entry : *tracks) {
    Result<TrackRecord> track = track_of(key, entry);
    if (!track.ok()) return std::move(track).error();
    record.tracks.push_back(std::move(track).value());
  }
  return fields.finish(std::move(record));
}

std::string to_json(const JobRecord& record) {
  return dump_record({{"kind", "ingest"},
                      {"title", record.title},
                      {"version", record.version},
                      {"upload", record.upload},
                      {"state", name_of(record.state)},
                      {"stage", name_of(record.stage)},
                      {"progress", record.progress},
                      {"priority", record.priority},
                      {"attempts", record.attempts},
                      {"created_at_ms", record.created_at_ms},
                      {"cost", cost_value(record.cost)},
                      {"parts", record.parts},
                      {"claims", record.claims},
                      {"failures", record.failures},
                      {"error", error_value(record.error)}});
}

Result<JobRecord> parse_job(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  JobRecord record;
  record.job = after_prefix(key, kJobPrefix);
  record.title = fields.text("title");
  record.version = fields.text("version");
  record.upload = fields.text("upload");
  record.state = fields.state<JobState>("state", kJobStates);
  record.stage = fields.state<JobStage>("stage", kJobStages);
  record.progress = fields.number<double>("progress");
  // Absent in records of before films were made in parts.
  const auto later = [&](const char* name) {
    return fields.find(name) == nullptr ? std::int64_t{0} : fields.number<std::int64_t>(name);
  };
  record.priority = later("priority");
  record.parts = later("parts");
  record.claims = later("claims");
  record.failures = later("failures");
  record.attempts = fields.number<std::int64_t>("attempts");
  record.created_at_ms = fields.number<std::int64_t>("created_at_ms");
  record.cost = cost_of(key, fields);
  record.error = fields.error();
  return fields.finish(std::move(record));
}

// Fields that came later are left out while they say nothing, so that a record's text stays what it was before them:
// changes compare it.
std::string to_json(const UploadRecord& record) {
  Json json = {{"filename", record.filename},          {"size_bytes", record.size_bytes}, {"title", record.title},
               {"new_version", record.new_version},    {"state", name_of(record.state)},  {"sha256", record.sha256},
               {"created_at_ms", record.created_at_ms}};
  if (record.resumable) json["resumable"] = true;
  if (record.partial) json["partial"] = true;
  if (!record.parts.empty()) json["parts"] = record.parts;
  if (!record.metadata.empty()) json["metadata"] = record.metadata;
  if (!record.fingerprint.empty()) json["fingerprint"] = record.fingerprint;
  if (record.completed_at_ms != 0) json["completed_at_ms"] = record.completed_at_ms;
  if (!record.duplicate_of.empty()) json["duplicate_of"] = record.duplicate_of;
  return dump_record(std::move(json));
}

Result<UploadRecord> parse_upload(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  UploadRecord record;
  record.upload = after_prefix(key, kUploadPrefix);
  record.filename = fields.text("filename");
  record.size_bytes = fields.number<std::uint64_t>("size_bytes");
  record.title = fields.text("title");
  record.new_version = fields.flag("new_version");
  record.state = fields.state<UploadState>("state", kUploadStates);
  record.sha256 = fields.text("sha256");
  record.created_at_ms = fields.number<std::int64_t>("created_at_ms");
  record.resumable = fields.find("resumable") != nullptr && fields.flag("resumable");
  record.partial = fields.find("partial") != nullptr && fields.flag("partial");
  if (fields.find("parts") != nullptr) record.parts = fields.text("parts");
  if (fields.find("metadata") != nullptr) record.metadata = fields.text("metadata");
  if (fields.find("fingerprint") != nullptr) record.fingerprint = fields.text("fingerprint");
  if (fields.find("completed_at_ms") != nullptr) {
    record.completed_at_ms = fields.number<std::int64_t>("completed_at_ms");
  }
  if (fields.find("duplicate_of") != nullptr) record.duplicate_of = fields.text("duplicate_of");
  return fields.finish(std::move(record));
}

std::uint32_t version_number(std::string_view version) {
  std::uint32_t number = 0;
  if (version.size() < 2 || version[0] != 'v' || version[1] == '0') return 0;
  const auto [end, failure] = std::from_chars(version.data() + 1, version.data() + version.size(), number);
  return failure == std::errc() && end == version.data() + version.size() ? number : 0;
}

std::string version_name(std::uint32_t number) {
  return "v" + std::to_string(number);
}

}  // namespace reelway::origin
