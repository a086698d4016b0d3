#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace reelway::ring {

class Ring;

// Deadlines by the thousand: one kernel timeout serves all of them, to a granularity of 10 ms. One thread.
class TimerQueue;

class Timer {
 public:
  explicit Timer(Ring& ring);
  ~Timer();  // disarms
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void arm(std::chrono::milliseconds after, std::function<void()> fired);  // replaces a former arming
  void disarm();
  bool armed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::ring
