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

}  // namespace reelway::origin
