#include "origin/jobs/work_desk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/check.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/file_bytes.h"
#include "origin/jobs/file_sum.h"
#include "origin/jobs/local_tasks.h"

namespace reelway::origin {
namespace {

constexpr std::uint64_t kFileBytesMax = 64ull << 30;  // of one file of a part

Error bad(std::string detail) {
  return {ErrorCode::http_bad_request, Side::client, false, std::move(detail)};
}

}  // namespace

Result<std::optional<Assignment>> WorkDesk::claim(const std::string& worker) {
  Result<std::optional<Assignment>> assignment = board_.claim(worker);
  if (!assignment.ok() || !assignment->has_value()) return assignment;
  REELWAY_TRY(make_folders(folders_.part((*assignment)->claim)));
  return assignment;
}

Result<WorkDesk::Source> WorkDesk::source(const ClaimId& claim) {
  const Result<JobBoard::Held> held = board_.held(claim);
  if (!held.ok()) return held.error();
  const std::string path = source_path(catalog_, held->source);
  Source source{UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), 0};
  struct stat info {};
  if (!source.file || ::fstat(source.file.get(), &info) != 0) return system_error("open", path, errno);
  source.bytes = static_cast<std::uint64_t>(info.st_size);
  return source;
}

Result<void> WorkDesk::write(const ClaimId& claim, const std::string& name, std::uint64_t offset, ByteView bytes) {
  const Result<JobBoard::Held> held = board_.held(claim);
  if (!held.ok()) return held.error();
  if (std::find(held->files.begin(), held->files.end(), name) == held->files.end()) {
    return bad(claim.part + " has no file " + name);
  }
  if (offset > kFileBytesMax) return bad(name + ": offset " + std::to_string(offset) + " is too large");
  REELWAY_TRY(room_.check_reserve());
  const std::string path = folders_.part(claim) + "/" + name;
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) return system_error("create", path, errno);
  return write_all_at(file.get(), path, offset, bytes);
}

Result<void> WorkDesk::complete(const ClaimId& claim, const TaskOutcome& outcome) {
  const Result<JobBoard::Held> held = board_.held(claim);
  // A repeated message finds its work done.
  if (!held.ok()) return board_.complete(claim, outcome);
  std::vector<std::string> names;
  for (const TaskFile& file : outcome.files) names.push_back(file.name);
  if (names != held->files) return bad(claim.part + ": the files are not those of the part");
  const std::string folder = folders_.part(claim);
  for (const TaskFile& file : outcome.files) {
    const Result<FileSum> sum = sum_file(folder + "/" + file.name);
    if (!sum.ok()) return sum.error();
    if (sum->bytes != file.bytes || sum->crc32c != file.crc32c) return bad(file.name + " has not come as it was made");
    REELWAY_TRY(sync_file(folder + "/" + file.name));
  }
  REELWAY_TRY(sync_folder(folder));
  return board_.complete(claim, outcome);
}

Result<void> WorkDesk::fail(const ClaimId& claim, const Error& error, const JobCost& cost) {
  REELWAY_TRY(board_.fail(claim, error, cost));
  return remove_all(folders_.part(claim));
}

Result<void> WorkDesk::release(const ClaimId& claim) {
  REELWAY_TRY(board_.release(claim));
  return remove_all(folders_.part(claim));
}

}  // namespace reelway::origin
