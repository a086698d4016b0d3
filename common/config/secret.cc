#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/unique_fd.h"
#include "common/config/settings.h"

namespace reelway::config {
namespace {

constexpr std::size_t kSecretBytesMin = 16;
constexpr std::size_t kSecretBytesMax = 4096;

Error unreadable(const std::string& file, int error) {
  return {ErrorCode::config_unreadable, Side::self, false, "the secret file " + file + ": " + std::strerror(error)};
}

Error invalid(const std::string& file, std::string_view what) {
  return {ErrorCode::config_value_invalid, Side::self, false, "the secret file " + file + " " + std::string(what)};
}

}  // namespace

Result<std::string> read_secret(const std::string& file) {
  // Without O_NONBLOCK a named pipe in place of the file would hold the start up.
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return unreadable(file, errno);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return unreadable(file, errno);
  if (!S_ISREG(status.st_mode)) return invalid(file, "is not a regular file");
  if ((status.st_mode & 077) != 0) return invalid(file, "may be read by others than its owner; run: chmod 600 " + file);

  std::array<char, kSecretBytesMax + 2> buffer;
  const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
  if (count < 0) return unreadable(file, errno);
  std::string secret(buffer.data(), static_cast<std::size_t>(count));
  secret.resize(std::min(secret.find('\n'), secret.size()));
  if (secret.ends_with('\r')) secret.pop_back();
  if (secret.size() < kSecretBytesMin) return invalid(file, "holds fewer than 16 characters in its first line");
  if (secret.size() > kSecretBytesMax) return invalid(file, "holds more than 4096 characters in its first line");
  // It goes into header fields, which end at blanks and control bytes.
  const bool printable = std::all_of(secret.begin(), secret.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable) return invalid(file, "holds a blank, a control byte or a byte beyond ASCII in its first line");
  return secret;
}

}  // namespace reelway::config
