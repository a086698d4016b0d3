// Deliveries in the watched folder: a folder with a manifest, taken as a whole.

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "common/config/document.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/file_bytes.h"
#include "origin/ingest/watch_folder.h"

namespace reelway::origin {
namespace {

Result<std::string> read_manifest(const std::string& path) {
  std::string text;
  REELWAY_TRY(read_pieces(path, 0, [&](ByteView piece) -> Result<void> {
    // Beyond that the parser refuses it by its length.
    if (text.size() <= config::kDocumentBytesMax) text.append(as_text(piece));
    return {};
  }));
  return text;
}

}  // namespace

Result<void> WatchFolder::ingest_delivery(const std::string& name) {
  const std::string manifest_name = name + "/" + std::string(kManifestName);
  const Result<std::string> text = read_manifest(options_.folder + "/" + manifest_name);
  if (!text.ok()) return text.error();
  const Result<Manifest> manifest = parse_manifest(*text, manifest_name);
  if (!manifest.ok()) return manifest.error();
  // All are looked for before the first one is copied.
  for (const ManifestFile* file : manifest->files()) {
    struct stat info {};
    const std::string path = options_.folder + "/" + name + "/" + file->file;
    if (::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) continue;
    return Error{ErrorCode::delivery_file_missing, Side::client, false,
                 manifest_name + ":" + std::to_string(file->line) + ": " + file->file};
  }
  const Result<bool> known = is_known_delivery(name, *manifest);
  if (!known.ok()) return known.error();
  if (*known) return {};
  REELWAY_TRY(catalog_.check_new(manifest->title, manifest->new_version));
  std::map<std::string, std::string> uploads;
  for (const ManifestFile* file : manifest->files()) {
    Result<std::string> upload = bring_in(name, *file);
    if (!upload.ok()) return std::move(upload).error();
    uploads[file->file] = std::move(upload).value();
  }
  return begin_delivery_(*text, manifest_name, uploads);
}

// Whether a version is of this delivery: it was begun before a crash, which kept the folder from its place in done/.
Result<bool> WatchFolder::is_known_delivery(const std::string& name, const Manifest& manifest) const {
  const Result<std::vector<VersionRecord>> versions = catalog_.versions(manifest.title);
  if (!versions.ok() && versions.error().code == ErrorCode::title_not_found) return false;
  if (!versions.ok()) return versions.error();
  const auto names_same = [&](const VersionRecord& version) {
    const auto files = manifest.files();
    return version.files.size() + 1 == files.size() &&
           std::equal(files.begin() + 1, files.end(), version.files.begin(),
                      [](const ManifestFile* file, const DeliveredFile& kept) { return file->file == kept.filename; });
  };
  const std::string picture = name + "/" + manifest.picture.file;
  for (const VersionRecord& version : *versions) {
    if (version.state == VersionState::failed || !names_same(version)) continue;
    const Result<std::string> sum = sum_of(picture);
    if (!sum.ok()) return sum.error();
    if (*sum == version.sha256) return true;
  }
  return false;
}

// The upload of one file, whole.
Result<std::string> WatchFolder::bring_in(const std::string& name, const ManifestFile& file) {
  const std::string place = name + "/" + file.file;
  struct stat info {};
  if (::lstat((options_.folder + "/" + place).c_str(), &info) != 0) {
    return system_error("stat", options_.folder + "/" + place, errno);
  }
  Seen seen;
  seen.bytes = static_cast<std::uint64_t>(info.st_size);
  seen.changed_ns = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
  const Result<UploadStatus> upload = open_upload(place, "", seen);
  if (!upload.ok()) return upload.error();
  if (upload->record.state != UploadState::waiting) return upload->record.upload;
  const Result<UploadStatus> whole = copy(place, *upload);
  if (!whole.ok()) return whole.error();
  return whole->record.upload;
}

}  // namespace reelway::origin
