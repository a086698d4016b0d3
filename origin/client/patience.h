#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace reelway::origin {

// How long a caller is willing to wait for a slow or failing server: until give_up() is called, by any thread, once
// and for good. Everything that waits for a server asks it, so that a drain or a cancel is never held up.
class Patience {
 public:
  virtual ~Patience() = default;

  void give_up() {
    {
      const std::lock_guard hold(mutex_);
      given_up_ = true;
    }
    changed_.notify_all();
  }
  bool given_up() const {
    const std::lock_guard hold(mutex_);
    return given_up_;
  }
  // False when it ended early because of give_up().
  virtual bool wait(std::chrono::milliseconds time) {
    std::unique_lock hold(mutex_);
    return !changed_.wait_for(hold, time, [this] { return given_up_; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool given_up_ = false;
};

}  // namespace reelway::origin
