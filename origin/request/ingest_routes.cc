#include "origin/request/api_routes.h"
#include "origin/request/body_fields.h"

namespace reelway::origin {

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

Result<Reply> show_job(const ApiServices& services, const ApiCall& call) {
  const auto job = services.jobs.status(call.parameters.at(0));
  if (!job) return job.error();
  nlohmann::json value = {{"job", job->job},
                          {"kind", "ingest"},
                          {"title", job->title},
                          {"version", job->version},
                          {"state", name_of(job->state)},
                          {"stage", name_of(job->stage)},
                          {"progress", job->progress},
                          {"attempts", job->attempts}};
  if (job->error) value["error"] = error_object(*job->error);
  return Reply{200, std::move(value)};
}

}  // namespace reelway::origin
