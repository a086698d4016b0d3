#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace reelway::ring {

class Ring;

class TimerQueue;

// Deadlines by the thousand: one kernel timeout serves all timers of a ring, to a granularity of 10 ms, never early.
// One thread. `fired` may arm the timer again or destroy it. Arming to a later time and disarming cost no more than
// reading the clock, so a timer may be armed anew for each request. A timer may outlive its ring; it then never fires.
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
