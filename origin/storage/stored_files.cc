#include "origin/storage/stored_files.h"

#include <array>

namespace reelway::origin {
namespace {

// Sums of whole files came to tracks later than their units' sums.
template <class Track>
std::string track_sum(const Track& track) {
  if constexpr (requires { track.sha256; }) return track.sha256;
  return {};
}
template <class Track>
std::string index_sum(const Track& track) {
  if constexpr (requires { track.index_sha256; }) return track.index_sha256;
  return {};
}

}  // namespace

std::string_view name_of(FileKind kind) {
  constexpr std::array<std::string_view, 3> kNames{"original", "track", "index"};
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
  const std::string folder = catalog.version_folder(version.title, version.version) + "/";
  for (const TrackRecord& track : version.tracks) {
    files.push_back({id("film/" + track.file), FileKind::track, folder + track.file, track.bytes, track_sum(track),
                     folder + track.index});
    files.push_back({id("film/" + track.index), FileKind::index, folder + track.index, {}, index_sum(track), {}});
  }
  return files;
}

}  // namespace reelway::origin
