#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

#include "common/base/clock.h"

namespace reelway::edge {

// The origin's time, as the beats of its change stream tell it, carried on by the edge's own monotonic clock. An edge
// whose wall clock is wrong, or is set at run time, still ends rentals and tokens when the origin would. One thread.
//
// A beat arrives some time after it was made: always late, never early. So of the offsets (origin's time - monotonic)
// that the beats of the last one to two minutes gave, the highest is nearest the truth, and beats of a backlog that
// are played back minutes late do no harm. Before the origin's time is known, wall() is the highest of the local wall
// clock, every time an origin has told, and the one told before the start carried on by the monotonic clock, so that a
// local clock set back brings nothing back and does not hold time up. It is known when a beat agrees with the local
// clock, or when kLiveBeats in a row came at the pace at which they were made (so they are no playback): from then on
// the local wall clock counts for nothing, and was it ahead, time goes back once, yet never behind what an origin told
// and what has passed of it. Other than that, wall() never goes back.
class TrustedClock final : public Clock {
 public:
  static constexpr int kLiveBeats = 3;
  static constexpr std::chrono::milliseconds kOffsetAlarm{2'000};
  static constexpr std::chrono::seconds kWindow{60};

  // `told_ms`: a time that an origin told before this start; 0: none. `local` outlives this.
  TrustedClock(const Clock& local, std::int64_t told_ms);

  Monotonic monotonic() const override { return local_.monotonic(); }
  Wall wall() const override;

  void beat(std::int64_t origin_ms);
  // Another origin's time begins: nothing told so far counts.
  void forget();

  // Local wall clock - origin's time; nothing before that is known.
  std::optional<std::chrono::milliseconds> local_offset() const;

 private:
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();
  struct Beat {
    Monotonic arrived;
    std::int64_t origin_ms;
  };

  std::int64_t monotonic_ms() const;
  std::int64_t origin_ms_now() const;  // by the beats; some beat must have come
  std::int64_t stored_ms_now() const;  // by what was told before the start; 0: nothing was
  void judge_pace(const Beat& beat);

  const Clock& local_;
  std::int64_t told_ms_;                // the highest time an origin has told
  std::int64_t stored_offset_ = kNone;  // of the time told before the start
  bool known_ = false;                  // the origin's time
  std::int64_t offset_ = kNone;         // the highest of this window
  std::int64_t former_offset_ = kNone;  // and of the one before
  Monotonic window_began_;
  std::optional<Beat> last_;
  int live_beats_ = 0;
  mutable std::int64_t shown_ms_ = 0;  // wall() never goes behind it
};

}  // namespace reelway::edge
