#include "origin/jobs/delivery.h"

#include <algorithm>

namespace reelway::origin {
namespace {

class Delivery {
 public:
  Delivery(Uploads& uploads, const DeliveryRequest& request) : uploads_(uploads), request_(request) {}

  Result<IngestRequest> assemble() {
    const Result<Manifest> manifest = parse_manifest(request_.manifest, request_.manifest_name);
    if (!manifest.ok()) return manifest.error();
    IngestRequest out;
    out.title = manifest->title;
    out.name = manifest->name;
    if (!manifest->language.empty()) out.language = primary_language(manifest->language);
    out.new_version = manifest->new_version;
    out.priority = request_.priority;
    const Result<UploadRecord> picture = upload_of(manifest->picture);
    if (!picture.ok()) return picture.error();
    out.upload = picture->upload;
    REELWAY_TRY(add(manifest->audio, DeliveredKind::audio, out));
    REELWAY_TRY(add(manifest->music_and_effects, DeliveredKind::music_and_effects, out));
    REELWAY_TRY(add(manifest->subtitles, DeliveredKind::subtitles, out));
    REELWAY_TRY(add(manifest->artwork, DeliveredKind::artwork, out));
    return out;
  }

 private:
  std::string place_of(const ManifestFile& file) const {
    return request_.manifest_name + ":" + std::to_string(file.line);
  }

  Result<UploadRecord> upload_of(const ManifestFile& file) {
    const auto named = request_.uploads.find(file.file);
    if (named == request_.uploads.end()) {
      return Error{ErrorCode::delivery_file_missing, Side::client, false, place_of(file) + ": " + file.file};
    }
    Result<UploadRecord> upload = uploads_.get(named->second);
    if (!upload.ok() || file.sha256.empty() || upload->sha256.empty() || upload->sha256 == file.sha256) return upload;
    return Error{ErrorCode::manifest_invalid, Side::client, false,
                 place_of(file) + ": " + file.file + " has the SHA-256 " + upload->sha256 + ", not " + file.sha256 +
                     ": the file is damaged, or the sum is another file's"};
  }

  Result<void> add(const std::vector<ManifestFile>& files, DeliveredKind kind, IngestRequest& out) {
    for (std::size_t i = 0; i < files.size(); ++i) {
      const ManifestFile& file = files[i];
      const Result<UploadRecord> upload = upload_of(file);
      if (!upload.ok()) return upload.error();
      const bool is_taken = upload->upload == out.upload ||
                            std::any_of(out.files.begin(), out.files.end(),
                                        [&](const DeliveredFile& other) { return other.upload == upload->upload; });
      if (is_taken) {
        return Error{ErrorCode::http_bad_request, Side::client, false, "one upload stands for two files: " + file.file};
      }
      out.files.push_back({kind, std::string(name_of(kind)) + "-" + std::to_string(i), file.file, file.language,
                           file.role, file.layout, place_of(file), upload->size_bytes, upload->sha256, upload->upload});
    }
    return {};
  }

  Uploads& uploads_;
  const DeliveryRequest& request_;
};

}  // namespace

Result<JobRecord> begin_delivery(IngestJobs& jobs, Uploads& uploads, const DeliveryRequest& request) {
  const Result<IngestRequest> assembled = Delivery(uploads, request).assemble();
  if (!assembled.ok()) return assembled.error();
  return jobs.enqueue(*assembled);
}

}  // namespace reelway::origin
