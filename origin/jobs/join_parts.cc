#include "origin/jobs/join_parts.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/unique_fd.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/file_bytes.h"
#include "origin/jobs/file_sum.h"
#include "origin/jobs/track_indexing.h"
#include "origin/mp4/track_writer.h"

namespace reelway::origin {
namespace {

Result<void> check_sums(const DonePart& part) {
  for (const TaskFile& file : part.record.files) {
    const std::string path = part.folder + "/" + file.name;
    const Result<FileSum> sum = sum_file(path);
    if (!sum.ok()) return sum.error();
    if (sum->bytes == file.bytes && sum->crc32c == file.crc32c) continue;
    return Error{ErrorCode::stored_data_corrupt, Side::disk, false, path + " has changed since it was made"};
  }
  return {};
}

// Appends a range of one file to another, within the kernel.
Result<void> append_range(int file, const std::string& path, const std::string& from, std::uint64_t offset,
                          std::uint64_t bytes) {
  const UniqueFd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source) return system_error("open", from, errno);
  auto place = static_cast<off_t>(offset);
  while (bytes > 0) {
    const ssize_t count = ::copy_file_range(source.get(), &place, file, nullptr, bytes, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("copy to", path, errno);
    if (count == 0) return Error{ErrorCode::mp4_malformed, Side::disk, false, from + " ends early"};
    bytes -= static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<void> join_rung(const EncodePlan& plan, const Rung& rung, const std::vector<const DonePart*>& parts) {
  const std::string name = track_file(rung.track_id), path = plan.output_folder + "/" + name;
  std::vector<mp4::TrackIndex> indexes;
  for (const DonePart* part : parts) {
    Result<mp4::TrackIndex> index = read_track(part->folder + "/" + name, nullptr);
    if (!index.ok()) return std::move(index).error();
    indexes.push_back(std::move(index).value());
  }
  const Result<mp4::TrackIndex> whole = mp4::join_video(indexes);
  if (!whole.ok()) return whole.error();
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return system_error("create", path, errno);
  REELWAY_TRY(write_all(file.get(), path, mp4::track_file_head(*whole)));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const mp4::Unit &first = indexes[i].units.front(), &last = indexes[i].units.back();
    REELWAY_TRY(append_range(file.get(), path, parts[i]->folder + "/" + name, first.file_offset,
                             last.file_offset + last.file_bytes - first.file_offset));
  }
  return {};
}

// The same file under another name: both are never changed again.
Result<void> take_audio(const EncodePlan& plan, const DonePart& part, const std::string& name) {
  const std::string from = part.folder + "/" + name, to = plan.output_folder + "/" + name;
  if (::link(from.c_str(), to.c_str()) != 0) return system_error("link", to, errno);
  return {};
}

}  // namespace

Result<void> join_parts(const EncodePlan& plan, const std::vector<DonePart>& parts) {
  const std::vector<EncodePart> planned = encode_parts(plan);
  CHECK(planned.size() == parts.size());
  std::vector<const DonePart*> video;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    REELWAY_TRY(check_sums(parts[i]));
    if (planned[i].audio)
      REELWAY_TRY(take_audio(plan, parts[i], part_files(plan, planned[i]).front()));
    else
      video.push_back(&parts[i]);
  }
  for (const Rung& rung : plan.rungs) REELWAY_TRY(join_rung(plan, rung, video));
  return {};
}

}  // namespace reelway::origin
