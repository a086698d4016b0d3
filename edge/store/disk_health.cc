#include "edge/store/disk_health.h"

#include <cerrno>
#include <cstring>

namespace reelway::edge {

void DiskHealth::failed(Part part, int error) {
  if (is_given_up_ || error == ENOSPC || error == EDQUOT) return;
  const auto now = clock_.monotonic();
  if (now - window_began_ > kWindow) {
    window_began_ = now;
    in_window_ = 0;
  }
  const int in_row = ++in_row_[static_cast<std::size_t>(part)];
  ++in_window_;
  const bool is_gone = error == EROFS || error == ENODEV || error == ENXIO;
  if (!is_gone && in_row < kFailuresInRow && in_window_ < kFailuresInWindow) return;
  is_given_up_ = true;
  given_up_(std::strerror(error));
}

}  // namespace reelway::edge
