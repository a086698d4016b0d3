#include "origin/storage/stored_files.h"

#include <array>

namespace reelway::origin {
std::string_view name_of(FileKind kind) {
  constexpr std::array<std::string_view, 4> kNames{"original", "track", "index", "side"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<StoredFile> files_of(const Catalog& catalog, const VersionRecord& version) {
  const auto id = [&](const std::string& name) { return FileId{version.title, version.version, name}; };
  std::vector<StoredFile> files;
  files.push_back({id("original/source"),
                   FileKind::original,
                   catalog.original_path(version.title, version.version),
                   version.source_bytes,
                   version.sha256,
                   {}});
  for (const DeliveredFile& file : version.files) {
    files.push_back({id("original/" + file.name),
                     FileKind::original,
                     catalog.delivered_path(version.title, version.version, file.name),
                     file.bytes,
                     file.sha256,
                     {}});
  }
  const std::string folder = catalog.version_folder(version.title, version.version) + "/";
  for (const TrackRecord& track : version.tracks) {
    files.push_back({id("film/" + track.file), FileKind::track, folder + track.file, track.bytes, track.sha256,
                     folder + track.index});
    files.push_back({id("film/" + track.index), FileKind::index, folder + track.index, {}, track.index_sha256, {}});
  }
  const auto add_side = [&](const KeptFile& file) {
    files.push_back({id("film/" + file.file), FileKind::side, folder + file.file, file.bytes, file.sha256, {}});
  };
  for (const TextTrackRecord& text : version.texts) {
    add_side(text.cues);
    if (text.ttml) add_side(*text.ttml);
  }
  for (const ImageTrackRecord& image : version.images) {
    for (const KeptFile* file : {&image.index, &image.sheets, &image.bif}) add_side(*file);
  }
  return files;
}

}  // namespace reelway::origin
