#include "edge/store/open_attempts.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/unique_fd.h"

namespace reelway::edge {

// The file is as many bytes long as there were attempts. Without a sync: only a death of this process counts, and
// what it wrote survives that.
Result<bool> OpenAttempts::begin() {
  const UniqueFd fd(::open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd) return system_error("open", file_, errno);
  const off_t deaths = ::lseek(fd.get(), 0, SEEK_END);
  const bool is_too_many = deaths >= static_cast<off_t>(kDeathsMax);
  if (is_too_many && ::ftruncate(fd.get(), 0) != 0) return system_error("truncate", file_, errno);
  if (::write(fd.get(), "x", 1) != 1) return system_error("write", file_, errno);
  return is_too_many;
}

void OpenAttempts::end() const {
  (void)::unlink(file_.c_str());
}

}  // namespace reelway::edge
