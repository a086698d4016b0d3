#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace reelway::ring {

// The deadlines of one ring: a binary min-heap in which each entry knows its place.
//
// An entry's place in the heap follows `queued_tick`, its true deadline is `tick`, and queued_tick <= tick: an entry
// that is armed to a later time, or disarmed, stays where it is and is looked at again when its old place comes up.
// So the common case, a timer moved forward on each request, does not touch the heap.
class TimerQueue {
 public:
  using Tick = std::int64_t;  // 10 ms each, on the monotonic clock
  static constexpr std::chrono::milliseconds kTick{10};

  struct Entry {
    std::function<void()> fired;
    Tick tick = 0;
    Tick queued_tick = 0;
    std::size_t place = kNotQueued;
    bool armed = false;
  };
  static constexpr std::size_t kNotQueued = SIZE_MAX;

  void arm(Entry& entry, std::chrono::milliseconds after, std::function<void()> fired);
  void disarm(Entry& entry);
  void remove(Entry& entry);  // before it is destroyed

  // How long the loop may sleep; nothing if no deadline is queued.
  std::optional<std::chrono::nanoseconds> sleep_max() const;
  void fire_due();

 private:
  void push(Entry& entry);
  void erase_at(std::size_t place);
  void sift_up(std::size_t place);
  void sift_down(std::size_t place);
  void put(std::size_t place, Entry* entry);

  std::vector<Entry*> heap_;
  Tick fired_tick_ = 0;  // deadlines up to here have been fired; a new one lies after it
};

}  // namespace reelway::ring
