#include "origin/catalog/published_version.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "common/base/bytes.h"
#include "common/base/crc32c.h"
#include "common/base/encoding.h"
#include "common/base/unique_fd.h"
#include "origin/catalog/side_files.h"
#include "origin/hls/bit_rates.h"

namespace reelway::origin {
namespace {

// Twelve hours of 60 frames a second need about 40 MiB.
constexpr std::uint64_t kIndexBytesMax = 256ull << 20;

Error at(Error error, const std::string& path) {
  error.detail = path + ": " + error.detail;
  return error;
}

Result<void> check_size(const std::string& path, std::uint64_t expected) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return system_error("stat", path, errno);
  if (static_cast<std::uint64_t>(info.st_size) == expected) return {};
  return Error{ErrorCode::stored_data_corrupt, Side::disk, false,
               path + " has " + std::to_string(info.st_size) + " bytes, its index says " + std::to_string(expected)};
}

template <class Track>
int position_of(const std::vector<Track>& tracks, std::string_view track_id) {
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    if (tracks[i].id == track_id) return static_cast<int>(i);
  }
  return -1;
}

// Every index ends with a sum of itself and holds the sums of all the bytes that it describes.
std::string content_id(const VersionRecord& record, std::uint32_t indexes_crc) {
  ByteWriter writer;
  writer.u32(indexes_crc);
  writer.u32(record.units_per_segment);
  writer.u64(static_cast<std::uint64_t>(record.published_at_ms));
  return hex(writer.bytes());
}

}  // namespace

Result<Bytes> read_whole_file(const std::string& path, std::uint64_t bytes_max) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) return system_error("open", path, errno);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > bytes_max) {
    return Error{ErrorCode::stored_data_corrupt, Side::disk, false, path + " has " + std::to_string(size) + " bytes"};
  }
  Bytes bytes(size);
  for (std::size_t have = 0; have < bytes.size();) {
    const ssize_t count = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("read", path, errno);
    if (count == 0) return Error{ErrorCode::stored_data_corrupt, Side::disk, false, path + " became shorter"};
    have += static_cast<std::size_t>(count);
  }
  return bytes;
}

Result<std::shared_ptr<const PublishedVersion>> load_published(const VersionRecord& record, const std::string& name,
                                                               const std::string& folder) {
  auto version = std::make_shared<PublishedVersion>();
  version->title = record.title;
  version->name = name;
  version->version = record.version;
  version->presentation.units_per_segment = record.units_per_segment;
  version->duration_ms = record.duration_ms;
  version->is_protected = record.is_protected;
  version->published_at_ms = record.published_at_ms;
  version->source_sha256 = record.sha256;
  std::uint32_t crc = 0;
  for (const TrackRecord& track : record.tracks) {
    const std::string index_path = folder + "/" + track.index;
    const Result<Bytes> bytes = read_whole_file(index_path, kIndexBytesMax);
    if (!bytes.ok()) return bytes.error();
    Result<mp4::TrackIndex> index = mp4::parse_index(*bytes);
    if (!index.ok()) return at(std::move(index).error(), index_path);
    version->files.push_back(folder + "/" + track.file);
    REELWAY_TRY(check_size(version->files.back(), index->file_bytes));
    crc = crc32c(*bytes, crc);
    version->index_memory_bytes += index->memory_bytes();
    version->presentation.tracks.push_back(
        {track.id, track.name, track.is_default, std::make_shared<const mp4::TrackIndex>(std::move(index).value())});
  }
  const Result<std::uint32_t> all = load_side_files(record, folder, crc, *version);
  if (!all.ok()) return all.error();
  version->content_id = content_id(record, *all);
  return std::shared_ptr<const PublishedVersion>(std::move(version));
}

int PublishedVersion::track_position(std::string_view track_id) const {
  return position_of(presentation.tracks, track_id);
}
int PublishedVersion::text_position(std::string_view track_id) const {
  return position_of(presentation.texts, track_id);
}
int PublishedVersion::image_position(std::string_view track_id) const {
  return position_of(presentation.images, track_id);
}

}  // namespace reelway::origin
