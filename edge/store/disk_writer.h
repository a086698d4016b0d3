#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/ring/side_workers.h"
#include "edge/store/disk_record.h"
#include "edge/store/disk_shared.h"
#include "edge/store/extent_io.h"
#include "edge/store/object.h"

namespace reelway::edge {

// Brings complete objects to disk, one after another in the order they came, within a queue limited in bytes: what
// does not fit in is shed.
class DiskWriter {
 public:
  static constexpr std::uint64_t kInlineBytesMax = 16 * 1024;  // bodies up to here stand in RocksDB

  DiskWriter(DiskShared shared, std::uint64_t queue_bytes_max);
  ~DiskWriter();

  // Waits in the queue while the index is being loaded; then this tells which sequence comes next.
  void begin(std::uint64_t next_sequence);
  void write(const std::shared_ptr<Object>& object);
  // The object of this key shall not be on disk: writes of it that have not ended leave nothing behind.
  void cancel(std::string_view key);
  // New metadata for the body under this key, if a write of it has not ended: it will be recorded with them.
  bool freshen(std::string_view key, const ObjectMeta& meta);
  // The disk has been given up: nothing that waits will be written.
  void drop_queue();
  // Slots have come free, or what held them has ended.
  void pump();

  std::uint64_t queued_bytes() const { return queued_bytes_; }
  std::uint64_t writes() const { return writes_; }
  std::uint64_t errors() const { return errors_; }
  std::uint64_t shed() const { return shed_; }

 private:
  struct Write {
    std::shared_ptr<Object> object;
    Gate::Pass pass;
    std::uint64_t queued_bytes = 0;
    bool is_cancelled = false;
    std::shared_ptr<StoredPlace> replaced;  // the key's former place, held so that it is not evicted meanwhile
    std::shared_ptr<StoredPlace> place;
    DiskRecord record;
    std::optional<ObjectMeta> freshened;  // since the write began
    std::uint64_t weight = 0;
    std::unique_ptr<ExtentIo> io;
  };
  enum class Step : std::uint8_t { started, wait, shed };

  Step start(Write& write);
  Step start_inline(Write& write);
  Step make_room(std::uint64_t bytes);
  void evict_until(std::uint64_t coming_bytes);
  void evict_ahead();
  void grow();
  void schedule_pump();
  void begin_io(Write& write);
  void io_ended(Write& write, int error);
  void put_record(Write& write);
  void record_put(Write& write, bool written);
  void end(Write& write);
  void shed_front();

  DiskShared shared_;
  std::uint64_t queue_bytes_max_;
  std::uint64_t next_sequence_ = 1;
  std::deque<std::unique_ptr<Write>> queue_;                        // not begun
  std::unordered_map<std::string, std::unique_ptr<Write>> active_;  // begun, at most kActiveMax
  std::uint64_t inline_coming_bytes_ = 0;                           // of active inline writes
  std::uint64_t queued_bytes_ = 0;                                  // of both
  bool pump_scheduled_ = false;
  bool growing_ = false;
  Clock::Monotonic grow_again_at_{};
  Clock::Monotonic log_again_at_{};  // a broken disk fails each write: one line a second tells
  std::uint64_t writes_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t shed_ = 0;
  ring::SideWorkers grower_;
};

}  // namespace reelway::edge
