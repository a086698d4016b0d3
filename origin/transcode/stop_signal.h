#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "common/base/check.h"
#include "common/base/unique_fd.h"

namespace reelway::origin {

// Tells threads that wait in poll() to give up: once stop() was called, descriptor() is readable for ever.
// Thread-safe.
class StopSignal {
 public:
  StopSignal() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(event_.valid()); }

  void stop() {
    stopped_ = true;
    const std::uint64_t one = 1;
    CHECK(::write(event_.get(), &one, sizeof one) == sizeof one);
  }
  bool stopped() const { return stopped_; }
  int descriptor() const { return event_.get(); }

 private:
  UniqueFd event_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace reelway::origin
