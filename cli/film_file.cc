#include "cli/film_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "common/base/unique_fd.h"

namespace reelway::cli {

Result<std::string> file_fingerprint(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return system_error("stat", file, errno);
  return std::to_string(status.st_size) + "-" + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec);
}

Result<std::uint64_t> film_size(const std::string& file) {
  const UniqueFd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!fd) return system_error("open", file, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error("stat", file, errno);
  if (!S_ISREG(status.st_mode)) {
    return Error{ErrorCode::media_unreadable, Side::client, false, file + " is no regular file"};
  }
  if (status.st_size == 0) return Error{ErrorCode::media_unreadable, Side::client, false, file + " is empty"};
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace reelway::cli
