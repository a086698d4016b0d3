#include "cli/film_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "common/base/unique_fd.h"

namespace reelway::cli {
namespace {

constexpr std::size_t kTitleBytesMax = 63;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string_view file_name(std::string_view file) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string_view::npos ? file : file.substr(slash + 1);
}

std::string derive_title_id(std::string_view file) {
  std::string_view stem = file_name(file);
  if (const std::size_t dot = stem.rfind('.'); dot != std::string_view::npos && dot > 0) stem = stem.substr(0, dot);
  std::string id;
  for (const char raw : stem) {
    const char c = lower(raw);
    const bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (keep)
      id.push_back(c);
    else if (!id.empty() && id.back() != '-')
      id.push_back('-');
    if (id.size() == kTitleBytesMax) break;
  }
  while (id.ends_with('-')) id.pop_back();
  return id;
}

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
