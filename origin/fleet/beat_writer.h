#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "common/base/result.h"
#include "origin/fleet/beat.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

// Writes the beat, on a thread of its own, since the store may block. A store that is slow or fails shows as missing
// beats: a turn that is late is not made up for. Of several origins on one store each turn is written by one.
class BeatWriter {
 public:
  // The origin's time: read for each beat, and told what an earlier beat says. Both are called on the writer's thread
  // as well as in start(), and must be thread-safe.
  struct Time {
    std::function<std::int64_t()> now_ms;
    std::function<void(std::int64_t)> observe;
  };
  struct Counters {
    std::uint64_t written = 0;
    std::uint64_t outrun = 0;  // turns that another origin wrote
    std::uint64_t failed = 0;
  };
  static constexpr std::chrono::milliseconds kPeriod{1'000};

  BeatWriter(ControlStore& store, Time time, std::chrono::milliseconds period = kPeriod);
  ~BeatWriter();
  BeatWriter(const BeatWriter&) = delete;
  BeatWriter& operator=(const BeatWriter&) = delete;

  // Blocks. The stored beat's time is observed before this returns: so the origin's time is right from then on, and
  // whatever decides by it may begin. An error of the store, or stored_data_corrupt.
  Result<void> recover();
  void start();
  void stop();  // waits for the write under way

  // One beat, as the thread writes it.
  enum class Turn : std::uint8_t { written, outrun };
  Result<Turn> write();
  Counters counters() const;

 private:
  void run();

  ControlStore& store_;
  const Time time_;
  const std::chrono::milliseconds period_;
  // Of the thread that writes: recover()'s, then its own.
  std::optional<KeyValue> stored_;
  bool stored_known_ = false;
  bool failing_ = false;  // so that a long failure is logged once

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  Counters counters_;      // guarded by mutex_
  std::thread thread_;
};

}  // namespace reelway::origin
