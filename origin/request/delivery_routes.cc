#include "origin/jobs/delivery.h"
#include "origin/request/api_routes.h"
#include "origin/request/body_fields.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

// The manifest is longer than other texts; parse_manifest() bounds it.
Result<std::string> manifest_of(const ApiCall& call) {
  const auto place = call.body.is_object() ? call.body.find("manifest") : call.body.end();
  if (place != call.body.end() && place->is_string()) return place->get<std::string>();
  return Error{ErrorCode::http_bad_request, Side::client, false, "field \"manifest\": expected the text of one"};
}

}  // namespace

// What would be refused, before any file is sent; and the files that are to be sent.
Result<Reply> check_delivery(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  const std::string name = fields.optional_text("manifest_name").value_or(std::string(kManifestName));
  REELWAY_TRY(fields.finish());
  const Result<std::string> text = manifest_of(call);
  if (!text.ok()) return text.error();
  const Result<Manifest> manifest = parse_manifest(*text, name);
  if (!manifest.ok()) return manifest.error();
  REELWAY_TRY(services.catalog.check_new(manifest->title, manifest->new_version));
  json files = json::array();
  for (const ManifestFile* file : manifest->files()) {
    files.push_back({{"file", file->file},
                     {"line", file->line},
                     {"sha256", file->sha256.empty() ? json(nullptr) : json(file->sha256)}});
  }
  return Reply{200, {{"title", manifest->title}, {"files", std::move(files)}}};
}

Result<Reply> begin_delivery_title(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  DeliveryRequest request;
  request.manifest_name = fields.optional_text("manifest_name").value_or(std::string(kManifestName));
  request.priority = fields.optional_integer("priority").value_or(0);
  REELWAY_TRY(fields.finish());
  Result<std::string> text = manifest_of(call);
  if (!text.ok()) return std::move(text).error();
  request.manifest = std::move(text).value();
  const auto uploads = call.body.find("uploads");
  if (uploads == call.body.end() || !uploads->is_object()) {
    return Error{ErrorCode::http_bad_request, Side::client, false, "field \"uploads\": expected uploads by file names"};
  }
  for (const auto& [file, upload] : uploads->items()) {
    if (upload.is_string()) request.uploads[file] = upload.get<std::string>();
  }
  const Result<JobRecord> job = begin_delivery(services.jobs, services.uploads, request);
  if (!job.ok()) return job.error();
  return Reply{202, {{"title", job->title}, {"version", job->version}, {"job", job->job}}};
}

}  // namespace reelway::origin
