#include "common/base/encoding.h"
#include "origin/request/api_routes.h"
#include "origin/request/body_fields.h"
#include "origin/request/iso_time.h"
#include "origin/storage/recall.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

json time_or_null(std::int64_t time_ms) {
  return time_ms == 0 ? json(nullptr) : json(iso_time(time_ms));
}

// "removed", "bucket", "both", "disk" or, when it should be there and is not, "nowhere".
std::string_view place_of(const FileStatus& file) {
  if (file.record.removed_at_ms != 0) return "removed";
  if (file.record.moved_at_ms != 0) return "bucket";
  if (!file.is_on_disk) return file.record.copy ? "bucket" : "nowhere";
  return file.record.copy ? "both" : "disk";
}

json finding_json(const FileFinding& finding) {
  json value = {{"found_at", iso_time(finding.found_at_ms)},
                {"offset", finding.offset},
                {"bytes", finding.bytes},
                {"places", finding.places},
                {"detail", finding.detail},
                {"mended_at", time_or_null(finding.mended_at_ms)}};
  if (!finding.mending_error.empty()) value["mending_error"] = finding.mending_error;
  return value;
}

json file_json(const FileStatus& status) {
  const FileRecord& record = status.record;
  const std::string& sha256 = record.sha256.empty() ? status.file.sha256 : record.sha256;
  json value = {{"file", status.file.id.name},
                {"kind", name_of(status.file.kind)},
                {"place", place_of(status)},
                {"bytes", record.bytes != 0 ? record.bytes : status.file.bytes.value_or(0)},
                {"sha256", sha256.empty() ? json(nullptr) : json(sha256)},
                {"scrubbed_at", time_or_null(record.scrubbed_at_ms)},
                {"finding", record.finding ? finding_json(*record.finding) : json(nullptr)}};
  if (record.copy) {
    value["copy"] = {{"store", record.copy->store},
                     {"url", object_url(record.copy->object)},
                     {"copied_at", iso_time(record.copy->copied_at_ms)}};
  }
  if (record.moved_at_ms != 0) value["moved_at"] = iso_time(record.moved_at_ms);
  if (record.removed_at_ms != 0) value["removed_at"] = iso_time(record.removed_at_ms);
  return value;
}

Result<Reply> storage_reply(const ApiServices& services, const std::string& title) {
  const auto versions = services.storage.files(title);
  if (!versions) return versions.error();
  json list = json::array();
  for (const VersionFiles& each : *versions) {
    json files = json::array();
    for (const FileStatus& file : each.files) files.push_back(file_json(file));
    list.push_back({{"title", each.version.title},
                    {"version", each.version.version},
                    {"state", name_of(each.version.state)},
                    {"current", each.is_current},
                    {"files", std::move(files)}});
  }
  return Reply{200, {{"versions", std::move(list)}}};
}

json scrub_json(const ScrubStatus& status) {
  json value = {{"running", status.is_running}, {"title", status.title.empty() ? json(nullptr) : json(status.title)},
                {"files", status.tally.files},  {"files_total", status.tally.files_total},
                {"bytes", status.tally.bytes},  {"bytes_total", status.tally.bytes_total},
                {"found", status.tally.found},  {"mended", status.tally.mended}};
  if (status.error) value["error"] = error_object(*status.error);
  if (!status.round) return value;
  const ScrubRecord& round = *status.round;
  const bool runs = round.round_ended_at_ms < round.round_began_at_ms;
  value["round"] = {{"running", runs},
                    {"began_at", time_or_null(round.round_began_at_ms)},
                    {"ended_at", time_or_null(round.round_ended_at_ms)},
                    {"bytes", round.bytes}};
  if (runs) value["round"]["at"] = describe(round.at);
  return value;
}

json removals_json(const std::vector<Removal>& removals) {
  json list = json::array();
  for (const Removal& removal : removals) {
    list.push_back({{"what", name_of(removal.kind)},
                    {"title", removal.title},
                    {"version", removal.version},
                    {"file", removal.file},
                    {"bytes", removal.bytes},
                    {"reason", removal.reason}});
  }
  return list;
}

Result<Reply> collection_reply(const ApiServices& services, bool is_dry) {
  const auto removals = services.storage.collect(is_dry);
  if (!removals) return removals.error();
  return Reply{200, {{"dry_run", is_dry}, {"removals", removals_json(*removals)}}};
}

}  // namespace

Result<Reply> list_storage(const ApiServices& services, const ApiCall&) {
  return storage_reply(services, {});
}

Result<Reply> show_title_storage(const ApiServices& services, const ApiCall& call) {
  return storage_reply(services, call.parameters.at(0));
}

Result<Reply> begin_scrub(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  const std::string title = fields.optional_text("title").value_or("");
  REELWAY_TRY(fields.finish());
  REELWAY_TRY(services.storage.scrub(title));
  return show_scrub(services, call);
}

Result<Reply> show_scrub(const ApiServices& services, const ApiCall&) {
  const auto status = services.storage.scrub_status();
  if (!status) return status.error();
  return Reply{200, scrub_json(*status)};
}

Result<Reply> plan_collection(const ApiServices& services, const ApiCall&) {
  return collection_reply(services, true);
}

Result<Reply> collect(const ApiServices& services, const ApiCall&) {
  return collection_reply(services, false);
}

// The original becomes an upload again, at once when it is on the disk, by an import when the bucket has it.
Result<Reply> recall_original(const ApiServices& services, const ApiCall& call) {
  const std::string& title = call.parameters.at(0);
  const std::string& version = call.parameters.at(1);
  const auto record = services.catalog.version(title, version);
  if (!record) return record.error();
  if (!record->files.empty()) {
    return Error{ErrorCode::http_bad_request, Side::client, false,
                 title + " " + version + " was delivered with " + std::to_string(record->files.size()) +
                     " further files, which a film made of its original alone would lack: deliver it again"};
  }
  const auto in_bucket = services.storage.original(title, version);
  if (!in_bucket) return in_bucket.error();
  if (!*in_bucket) {
    const auto upload = upload_of_original(services.store, services.catalog, services.uploads, services.clock,
                                           services.random, *record);
    if (!upload) return upload.error();
    return Reply{201, {{"upload", upload->upload}, {"language", record->language}}};
  }
  const FileCopy& copy = *(*in_bucket)->copy;
  const ImportRequest request{.url = {},
                              .store = copy.store,
                              .bucket = copy.object.bucket,
                              .key = copy.object.key,
                              .sha256 = record->sha256,
                              .title = title,
                              .new_version = true};
  const auto import = services.imports.begin(request);
  if (!import) return import.error();
  return Reply{202, {{"import", import->import}, {"language", record->language}}};
}

}  // namespace reelway::origin
