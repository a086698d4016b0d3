#include "common/ring/timer_queue.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace reelway::ring {
namespace {

std::chrono::nanoseconds monotonic_now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

void TimerQueue::arm(Entry& entry, std::chrono::milliseconds after, std::function<void()> fired) {
  const auto deadline = monotonic_now() + std::max(after, std::chrono::milliseconds{0});
  entry.tick =
      std::max(std::chrono::ceil<std::chrono::milliseconds>(deadline).count() / kTick.count() + 1, fired_tick_ + 1);
  entry.fired = std::move(fired);
  entry.armed = true;
  if (entry.place == kNotQueued) {
    push(entry);
  } else if (entry.tick < entry.queued_tick) {
    entry.queued_tick = entry.tick;
    sift_up(entry.place);
  }
}

void TimerQueue::disarm(Entry& entry) {
  entry.armed = false;
  entry.fired = nullptr;
}

void TimerQueue::remove(Entry& entry) {
  if (entry.place != kNotQueued) erase_at(entry.place);
  disarm(entry);
}

std::optional<std::chrono::nanoseconds> TimerQueue::sleep_max() const {
  if (heap_.empty()) return std::nullopt;
  return std::max(heap_.front()->queued_tick * std::chrono::nanoseconds{kTick} - monotonic_now(),
                  std::chrono::nanoseconds{0});
}

void TimerQueue::fire_due() {
  if (heap_.empty()) return;
  fired_tick_ = monotonic_now() / std::chrono::nanoseconds{kTick};
  while (!heap_.empty() && heap_.front()->queued_tick <= fired_tick_) {
    Entry& entry = *heap_.front();
    erase_at(0);
    if (!entry.armed) continue;
    if (entry.tick > fired_tick_) {
      push(entry);
      continue;
    }
    entry.armed = false;
    // The call may destroy the entry, so the function must not live in it.
    const auto fired = std::exchange(entry.fired, nullptr);
    if (fired) fired();
  }
}

void TimerQueue::push(Entry& entry) {
  entry.queued_tick = entry.tick;
  heap_.push_back(&entry);
  entry.place = heap_.size() - 1;
  sift_up(entry.place);
}

void TimerQueue::erase_at(std::size_t place) {
  CHECK(place < heap_.size());
  heap_[place]->place = kNotQueued;
  Entry* last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  put(place, last);
  sift_up(place);
  sift_down(last->place);
}

void TimerQueue::sift_up(std::size_t place) {
  Entry* entry = heap_[place];
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (heap_[parent]->queued_tick <= entry->queued_tick) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, entry);
}

void TimerQueue::sift_down(std::size_t place) {
  Entry* entry = heap_[place];
  while (true) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->queued_tick < heap_[child]->queued_tick) ++child;
    if (entry->queued_tick <= heap_[child]->queued_tick) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, entry);
}

void TimerQueue::put(std::size_t place, Entry* entry) {
  heap_[place] = entry;
  entry->place = place;
}

}  // namespace reelway::ring
