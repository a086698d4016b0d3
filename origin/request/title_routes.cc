#include "origin/mp4/track_index.h"
#include "origin/request/api_routes.h"
#include "origin/request/body_fields.h"
#include "origin/request/iso_time.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

json title_json(const TitleRecord& title, std::int64_t duration_ms) {
  json value = {{"title", title.title},          {"name", title.name},
                {"state", name_of(title.state)}, {"version", text_or_null(title.current_version)},
                {"duration_ms", duration_ms},    {"created_at", iso_time(title.created_at_ms)}};
  if (title.error) value["error"] = error_object(*title.error);
  if (!title.history.empty()) value["history"] = history_array(title.history);
  return value;
}

// Of the version that plays now; 0 while there is none.
Result<std::int64_t> current_duration_ms(Catalog& catalog, const TitleRecord& title) {
  if (title.current_version.empty()) return std::int64_t{0};
  auto version = catalog.version(title.title, title.current_version);
  if (!version) return version.error();
  return version->duration_ms;
}

json media_json(const Rendition& rendition) {
  return {{"id", rendition.id},
          {"kind", rendition.kind == mp4::TrackKind::video ? "video" : "audio"},
          {"width", rendition.width},
          {"height", rendition.height},
          {"codecs", rendition.codecs},
          {"bandwidth", rendition.bandwidth},
          {"average_bandwidth", rendition.average_bandwidth},
          {"frames", rendition.frames},
          {"duration_ms", rendition.duration_ms},
          {"bytes", rendition.bytes}};
}

// What the encoder was given, and what the table would have given it.
void add_rates(json& rendition, const VersionRecord& version, const std::string& id) {
  for (const TrackRecord& track : version.tracks) {
    if (track.id != id || track.table_bits == 0) continue;
    rendition["target_bandwidth"] = track.target_bits;
    rendition["table_bandwidth"] = track.table_bits;
  }
}

json level_json(const SoundLevel& level) {
  json value = {{"end", name_of(level.end)}, {"gain_db", level.gain_db()}};
  if (level.measured) {
    value["measured_lufs"] = level.measured->integrated_lufs;
    value["measured_true_peak_dbtp"] = level.measured->true_peak_dbtp;
  }
  if (level.target_lufs) value["target_lufs"] = *level.target_lufs;
  return value;
}

json rendition_json(const Rendition& rendition, const VersionRecord& version) {
  json value = media_json(rendition);
  if (rendition.kind == mp4::TrackKind::video) return add_rates(value, version, rendition.id), value;
  value["name"] = rendition.name;
  value["language"] = rendition.language;
  value["channels"] = rendition.channels;
  for (const TrackRecord& track : version.tracks) {
    if (track.id == rendition.id && track.level) value["loudness"] = level_json(*track.level);
  }
  return value;
}

json delivered_json(const DeliveredFile& file) {
  json value = {
      {"kind", name_of(file.kind)}, {"file", file.filename}, {"size_bytes", file.bytes}, {"sha256", file.sha256}};
  if (!file.language.empty()) value["language"] = file.language;
  if (!file.role.empty()) value["role"] = file.role;
  if (!file.layout.empty()) value["layout"] = file.layout;
  return value;
}

// What players find beside picture and sound.
void add_side_tracks(json& value, const VersionRecord& version) {
  for (const TextTrackRecord& text : version.texts) {
    value["subtitles"].push_back({{"id", text.id},
                                  {"name", text.name},
                                  {"language", text.language},
                                  {"forced", text.forced},
                                  {"for_deaf", text.for_deaf},
                                  {"imsc", text.ttml.has_value()},
                                  {"bytes", text.cues.bytes}});
  }
  for (const ImageTrackRecord& image : version.images) {
    value["thumbnails"].push_back({{"id", image.id}, {"bytes", image.sheets.bytes + image.bif.bytes}});
  }
}

json version_json(Catalog& catalog, const TitleRecord& title, const VersionRecord& version) {
  json value = {
      {"version", version.version},
      {"state", name_of(version.state)},
      {"duration_ms", version.duration_ms},
      {"renditions", json::array()},
      {"sha256", version.sha256},
      {"source_bytes", version.source_bytes},
      {"cost", {{"cpu_s", version.cost.cpu_s}, {"wall_s", version.cost.wall_s}, {"bytes", version.cost.bytes}}},
      {"created_at", iso_time(version.created_at_ms)}};
  for (const DeliveredFile& file : version.files) value["files"].push_back(delivered_json(file));
  add_side_tracks(value, version);
  if (!version.job.empty()) value["job"] = version.job;
  if (const RateProbe& probe = version.probe; probe.samples > 0) {
    value["per_title"] = {{"samples", probe.samples}, {"seconds", probe.seconds}, {"cpu_s", probe.cpu_s}};
  }
  if (version.published_at_ms != 0) value["published_at"] = iso_time(version.published_at_ms);
  if (version.is_protected) value["protection"] = "protected";
  if (version.replaced_at_ms != 0) value["replaced_at"] = iso_time(version.replaced_at_ms);
  if (!version.decided_by.empty()) {
    value["decision"] = {{"by", version.decided_by},
                         {"reason", text_or_null(version.decision_reason)},
                         {"at", iso_time(version.decided_at_ms)}};
  }
  if (version.error) value["error"] = error_object(*version.error);
  if (version.state != VersionState::published && version.state != VersionState::ready) return value;
  const bool is_out = version.state == VersionState::published && title.state != TitleState::unpublished;
  const Audience audience = is_out ? Audience::viewers : Audience::preview;
  const auto published = catalog.published(version.title, version.version, audience);
  if (!published) {
    // One damaged version must not hide the others.
    value["error"] = error_object(published.error());
    return value;
  }
  for (const Rendition& rendition : renditions(**published)) {
    value["renditions"].push_back(rendition_json(rendition, version));
  }
  return value;
}

}  // namespace

Result<Reply> list_titles(const ApiServices& services, const ApiCall&) {
  const auto titles = services.catalog.titles();
  if (!titles) return titles.error();
  json list = json::array();
  for (const TitleRecord& title : *titles) {
    const auto duration_ms = current_duration_ms(services.catalog, title);
    if (!duration_ms) return duration_ms.error();
    list.push_back(title_json(title, *duration_ms));
  }
  return Reply{200, {{"titles", std::move(list)}}};
}

Result<Reply> show_title(const ApiServices& services, const ApiCall& call) {
  const auto title = services.catalog.title(call.parameters.at(0));
  if (!title) return title.error();
  const auto versions = services.catalog.versions(title->title);
  if (!versions) return versions.error();
  const auto duration_ms = current_duration_ms(services.catalog, *title);
  if (!duration_ms) return duration_ms.error();
  json value = title_json(*title, *duration_ms);
  value["versions"] = json::array();
  for (const VersionRecord& version : *versions)
    value["versions"].push_back(version_json(services.catalog, *title, version));
  return Reply{200, std::move(value)};
}

Result<Reply> create_title(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  IngestRequest request;
  request.title = fields.text("title");
  request.name = fields.optional_text("name").value_or("");
  request.upload = fields.text("upload");
  request.language = fields.optional_text("language").value_or(request.language);
  request.new_version = fields.flag("new_version");
  request.priority = fields.optional_integer("priority").value_or(0);
  REELWAY_TRY(fields.finish());
  const auto job = services.jobs.enqueue(request);
  if (!job) return job.error();
  return Reply{202, {{"title", job->title}, {"version", job->version}, {"job", job->job}}};
}

}  // namespace reelway::origin
