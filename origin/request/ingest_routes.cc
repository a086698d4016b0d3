#include "origin/request/api_routes.h"
#include "origin/request/body_fields.h"
#include "origin/request/iso_time.h"

namespace reelway::origin {
namespace {

nlohmann::json upload_json(const UploadStatus& status) {
  const UploadRecord& record = status.record;
  nlohmann::json value = {{"upload", record.upload},         {"filename", record.filename},
                          {"title", record.title},           {"new_version", record.new_version},
                          {"size_bytes", record.size_bytes}, {"offset", status.offset},
                          {"state", name_of(record.state)},  {"resumable", record.resumable},
                          {"partial", record.partial},       {"created_at", iso_time(record.created_at_ms)}};
  if (!record.fingerprint.empty()) value["fingerprint"] = record.fingerprint;
  if (!record.sha256.empty()) value["sha256"] = record.sha256;
  if (!record.duplicate_of.empty()) value["duplicate_of"] = record.duplicate_of;
  if (status.expires_at_ms != 0) value["expires_at"] = iso_time(status.expires_at_ms);
  return value;
}

}  // namespace

Result<Reply> begin_upload(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  UploadRequest request;
  request.filename = fields.text("filename");
  request.size_bytes = fields.count("size_bytes");
  request.title = fields.text("title");
  request.new_version = fields.flag("new_version");
  REELWAY_TRY(fields.finish());
  const auto upload = services.uploads.begin(request);
  if (!upload) return upload.error();
  return Reply{201, {{"upload", upload->upload}, {"put", "/v1/uploads/" + upload->upload}}};
}

Result<Reply> list_uploads(const ApiServices& services, const ApiCall&) {
  const auto uploads = services.uploads.list();
  if (!uploads) return uploads.error();
  nlohmann::json list = nlohmann::json::array();
  for (const UploadStatus& status : *uploads) list.push_back(upload_json(status));
  return Reply{200, {{"uploads", std::move(list)}}};
}

Result<Reply> show_upload(const ApiServices& services, const ApiCall& call) {
  const auto status = services.uploads.status(call.parameters.at(0));
  if (!status) return status.error();
  return Reply{200, upload_json(*status)};
}

Result<Reply> delete_upload(const ApiServices& services, const ApiCall& call) {
  REELWAY_TRY(services.uploads.terminate(call.parameters.at(0)));
  return Reply{200, {{"upload", call.parameters.at(0)}, {"deleted", true}}};
}

}  // namespace reelway::origin
