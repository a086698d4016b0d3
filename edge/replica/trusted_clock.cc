#include "edge/replica/trusted_clock.h"

#include <algorithm>
#include <cstdlib>

namespace reelway::edge {

TrustedClock::TrustedClock(const Clock& local, std::int64_t told_ms) : local_(local), told_ms_(told_ms) {
  if (told_ms > 0) stored_offset_ = told_ms - monotonic_ms();
}

std::int64_t TrustedClock::monotonic_ms() const {
  return std::chrono::floor<std::chrono::milliseconds>(local_.monotonic().time_since_epoch()).count();
}

std::int64_t TrustedClock::origin_ms_now() const {
  return monotonic_ms() + std::max(offset_, former_offset_);
}

std::int64_t TrustedClock::stored_ms_now() const {
  return stored_offset_ == kNone ? 0 : monotonic_ms() + stored_offset_;
}

Clock::Wall TrustedClock::wall() const {
  std::int64_t now_ms = told_ms_;
  if (!known_) now_ms = std::max({now_ms, local_.wall_ms(), stored_ms_now()});
  if (last_) now_ms = std::max(now_ms, origin_ms_now());
  shown_ms_ = std::max(shown_ms_, now_ms);
  return Wall(std::chrono::milliseconds(shown_ms_));
}

void TrustedClock::beat(std::int64_t origin_ms) {
  const Beat beat{local_.monotonic(), origin_ms};
  judge_pace(beat);
  if (!last_) window_began_ = beat.arrived;
  // A playback that lasts longer than a window must not push out what is known.
  if (live_beats_ >= kLiveBeats && beat.arrived - window_began_ >= kWindow) {
    former_offset_ = offset_;
    offset_ = kNone;
    window_began_ = beat.arrived;
  }
  offset_ = std::max(offset_, origin_ms - monotonic_ms());
  told_ms_ = std::max(told_ms_, origin_ms);
  last_ = beat;
  if (known_) return;
  const bool agrees = std::abs(origin_ms_now() - local_.wall_ms()) <= kOffsetAlarm.count();
  if (!agrees && live_beats_ < kLiveBeats) return;
  known_ = true;
  if (!agrees) shown_ms_ = stored_ms_now();  // what the local clock said was wrong
}

void TrustedClock::judge_pace(const Beat& beat) {
  if (!last_ || beat.origin_ms <= last_->origin_ms) return;
  const std::chrono::milliseconds made_apart{beat.origin_ms - last_->origin_ms};
  live_beats_ = (beat.arrived - last_->arrived) * 2 >= made_apart ? live_beats_ + 1 : 0;
}

void TrustedClock::forget() {
  told_ms_ = 0;
  stored_offset_ = kNone;
  known_ = false;
  offset_ = former_offset_ = kNone;
  last_.reset();
  live_beats_ = 0;
  shown_ms_ = 0;
}

std::optional<std::chrono::milliseconds> TrustedClock::local_offset() const {
  if (!known_) return std::nullopt;
  return std::chrono::milliseconds(local_.wall_ms() - origin_ms_now());
}

}  // namespace reelway::edge
