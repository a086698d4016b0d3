#include "origin/ingest/durable_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "common/base/unique_fd.h"
#include "origin/ingest/file_bytes.h"

namespace reelway::origin {
namespace {

std::string parent_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

Result<void> sync_path(const std::string& path, int flags) {
  const UniqueFd file(::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC));
  if (!file) return system_error("open", path, errno);
  if (::fsync(file.get()) != 0) return system_error("fsync", path, errno);
  return {};
}

}  // namespace

Result<void> sync_folder(const std::string& folder) {
  return sync_path(folder, O_DIRECTORY);
}
Result<void> sync_file(const std::string& path) {
  return sync_path(path, 0);
}

Result<void> make_folders(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) return sync_folder(parent_of(folder));
  if (errno == EEXIST) return {};
  if (errno != ENOENT) return system_error("mkdir", folder, errno);
  REELWAY_TRY(make_folders(parent_of(folder)));
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return system_error("mkdir", folder, errno);
  return sync_folder(parent_of(folder));
}

Result<void> move_durably(const std::string& from, const std::string& to) {
  REELWAY_TRY(make_folders(parent_of(to)));
  if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", from + " to " + to, errno);
  REELWAY_TRY(sync_folder(parent_of(to)));
  return sync_folder(parent_of(from));
}

Result<void> write_durably(const std::string& path, const void* bytes, std::size_t count) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return system_error("open", path, errno);
  REELWAY_TRY(write_all(file.get(), path, {static_cast<const std::uint8_t*>(bytes), count}));
  if (::fsync(file.get()) != 0) return system_error("fsync", path, errno);
  return {};
}

Result<void> remove_all(const std::string& path) {
  std::error_code failure;
  std::filesystem::remove_all(path, failure);
  if (failure) return system_error("remove", path, failure.value());
  return {};
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

std::uint64_t free_bytes(const std::string& folder) {
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0) return 0;
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace reelway::origin
