#include "common/ring/timer.h"

#include <utility>

#include "common/ring/ring_state.h"
#include "common/ring/timer_queue.h"

namespace reelway::ring {

struct Timer::State {
  std::shared_ptr<TimerQueue> queue;  // shared, so that a timer may be destroyed after its ring
  TimerQueue::Entry entry;
};

Timer::Timer(Ring& ring) : state_(std::make_unique<State>()) {
  state_->queue = ring.state_->timers;
}

Timer::~Timer() {
  state_->queue->remove(state_->entry);
}

void Timer::arm(std::chrono::milliseconds after, std::function<void()> fired) {
  state_->queue->arm(state_->entry, after, std::move(fired));
}

void Timer::disarm() {
  state_->queue->disarm(state_->entry);
}

bool Timer::armed() const {
  return state_->entry.armed;
}

}  // namespace reelway::ring
