#include "origin/catalog/records.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

namespace reelway::origin {
namespace {

using Json = nlohmann::json;

constexpr int kRecordFormat = 1;

constexpr std::array<std::string_view, 3> kTitleStates{"ingesting", "published", "failed"};
constexpr std::array<std::string_view, 3> kVersionStates{"building", "published", "failed"};
constexpr std::array<std::string_view, 4> kJobStates{"queued", "running", "done", "failed"};
constexpr std::array<std::string_view, 4> kJobStages{"probe", "transcode", "index", "publish"};
constexpr std::array<std::string_view, 3> kUploadStates{"waiting", "complete", "taken"};

// Reads one record's fields. The first field that is missing or of another kind makes the whole record corrupt.
class Fields {
 public:
  Fields(std::string_view key, std::string_view text) : key_(key), json_(Json::parse(text, nullptr, false)) {
    if (!json_.is_object() || json_.value("format", 0) != kRecordFormat) fail("format");
  }
  Fields(std::string_view key, Json json) : key_(key), json_(std::move(json)) {
    if (!json_.is_object()) fail("object");
  }

  std::string text(const char* name) {
    const Json* field = find(name);
    if (field != nullptr && field->is_string()) return field->get<std::string>();
    fail(name);
    return {};
  }
  template <class Number>
  Number number(const char* name) {
    const Json* field = find(name);
    if (field != nullptr && field->is_number()) return field->get<Number>();
    fail(name);
    return {};
  }
  bool flag(const char* name) {
    const Json* field = find(name);
    if (field != nullptr && field->is_boolean()) return field->get<bool>();
    fail(name);
    return false;
  }
  template <class State, std::size_t kCount>
  State state(const char* name, const std::array<std::string_view, kCount>& names) {
    const std::string given = text(name);
    for (std::size_t i = 0; i < kCount; ++i) {
      if (names[i] == given) return static_cast<State>(i);
    }
    fail(name);
    return {};
  }
  std::optional<Error> error() {
    const Json* field = find("error");
    if (field == nullptr || field->is_null()) return std::nullopt;
    Fields inner(key_, *field);
    Error error;
    const std::string code = inner.text("code");
    error.detail = inner.text("detail");
    for (const ErrorInfo& info : error_table()) {
      if (info.name == code) error.code = info.code;
    }
    if (inner.broken_) fail("error");
    return error;
  }
  const Json* find(const char* name) const {
    const auto place = json_.is_object() ? json_.find(name) : json_.end();
    return place == json_.end() ? nullptr : &*place;
  }

  void fail(const char* name) {
    if (!broken_) broken_ = name;
  }
  template <class Record>
  Result<Record> finish(Record record) const {
    if (!broken_) return record;
    return Error{ErrorCode::stored_data_corrupt, Side::disk, false,
                 "control store, key " + key_ + ": " + *broken_ + " is missing or not as expected"};
  }

 private:
  std::string key_;
  Json json_;
  std::optional<std::string> broken_;
};

Json error_value(const std::optional<Error>& error) {
  if (!error) return nullptr;
  return {{"code", error->info().name}, {"detail", error->detail}};
}

// Names and details may hold bytes that are not UTF-8.
std::string dump(Json json) {
  json["format"] = kRecordFormat;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string after(std::string_view key, std::string_view prefix) {
  return std::string(key.substr(std::min(key.size(), prefix.size())));
}

}  // namespace

std::string_view name_of(TitleState state) {
  return kTitleStates[static_cast<std::size_t>(state)];
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
  return dump({{"name", record.name},
               {"state", name_of(record.state)},
               {"current_version", record.current_version},
               {"latest_version", record.latest_version},
               {"created_at_ms", record.created_at_ms},
               {"error", error_value(record.error)}});
}

Result<TitleRecord> parse_title(std::string_view key, std::string_view json) {
  Fields fields(key, json);
  TitleRecord record;
  record.title = after(key, kTitlePrefix);
  record.name = fields.text("name");
  record.state = fields.state<TitleState>("state", kTitleStates);
  record.current_version = fields.text("current_version");
  record.latest_version = fields.text("latest_version");
  record.created_at_ms = fields.number<std::int64_t>("created_at_ms");
  record.error = fields.error();
  return fields.finish(std::move(record));
}

std::string to_json(const VersionRecord& record) {
  Json tracks = Json::array();
  for (const TrackRecord& track : record.tracks) {
    tracks.push_back({{"id", track.id},
                      {"name", track.name},
                      {"default", track.is_default},
                      {"file", track.file},
                      {"index", track.index},
                      {"bytes", track.bytes}});
  }
  return dump({{"state", name_of(record.state)},
               {"job", record.job},
               {"sha256", record.sha256},
               {"source_bytes", record.source_bytes},
               {"duration_ms", record.duration_ms},
               {"language", record.language},
               {"units_per_segment", record.units_per_segment},
               {"tracks", std::move(tracks)},
               {"created_at_ms", record.created_at_ms},
               {"published_at_ms", record.published_at_ms},
               {"error", error_value(record.error)}});
}

Result<VersionRecord> parse_version_record(std::string_view key, std::string_view json) {
  Fields fields(key, json);
  VersionRecord record;
  const std::string names = after(key, kVersionPrefix);
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
  const Json* tracks = fields.find("tracks");
  if (tracks == nullptr || !tracks->is_array()) return fields.fail("tracks"), fields.finish(std::move(record));
  for (const Json& entry : *tracks) {
    Fields track(key, entry);
    TrackRecord parsed{track.text("id"),   track.text("name"),  track.flag("default"),
                       track.text("file"), track.text("index"), track.number<std::uint64_t>("bytes")};
    Result<TrackRecord> checked = track.finish(std::move(parsed));
    if (!checked.ok()) return std::move(checked).error();
    record.tracks.push_back(std::move(checked).value());
  }
  return fields.finish(std::move(record));
}

std::string to_json(const JobRecord& record) {
  return dump({{"kind", "ingest"},
               {"title", record.title},
               {"version", record.version},
               {"upload", record.upload},
               {"state", name_of(record.state)},
               {"stage", name_of(record.stage)},
               {"progress", record.progress},
               {"attempts", record.attempts},
               {"created_at_ms", record.created_at_ms},
               {"error", error_value(record.error)}});
}

Result<JobRecord> parse_job(std::string_view key, std::string_view json) {
  Fields fields(key, json);
  JobRecord record;
  record.job = after(key, kJobPrefix);
  record.title = fields.text("title");
  record.version = fields.text("version");
  record.upload = fields.text("upload");
  record.state = fields.state<JobState>("state", kJobStates);
  record.stage = fields.state<JobStage>("stage", kJobStages);
  record.progress = fields.number<double>("progress");
  record.attempts = fields.number<std::int64_t>("attempts");
  record.created_at_ms = fields.number<std::int64_t>("created_at_ms");
  record.error = fields.error();
  return fields.finish(std::move(record));
}

std::string to_json(const UploadRecord& record) {
  return dump({{"filename", record.filename},
               {"size_bytes", record.size_bytes},
               {"title", record.title},
               {"new_version", record.new_version},
               {"state", name_of(record.state)},
               {"sha256", record.sha256},
               {"created_at_ms", record.created_at_ms}});
}

Result<UploadRecord> parse_upload(std::string_view key, std::string_view json) {
  Fields fields(key, json);
  UploadRecord record;
  record.upload = after(key, kUploadPrefix);
  record.filename = fields.text("filename");
  record.size_bytes = fields.number<std::uint64_t>("size_bytes");
  record.title = fields.text("title");
  record.new_version = fields.flag("new_version");
  record.state = fields.state<UploadState>("state", kUploadStates);
  record.sha256 = fields.text("sha256");
  record.created_at_ms = fields.number<std::int64_t>("created_at_ms");
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
