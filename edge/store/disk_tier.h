#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "edge/store/object.h"
#include "edge/store/store.h"

namespace reelway::edge {

class MemoryTier;

struct DiskTierOptions {
  std::string directory;
  std::uint64_t budget_bytes = 0;
  std::uint64_t queue_bytes_max = 0;  // bodies in memory that wait for their write or are being written
};

// Complete objects on disk: records in RocksDB, bodies in slab files (docs/formats/edge_store.md).
class DiskTier {
 public:
  static Result<std::unique_ptr<DiskTier>> open(ring::Ring& ring, const Clock& clock, MemoryTier& memory,
                                                const DiskTierOptions& options);
  ~DiskTier();

  // Stores a complete object, or sheds it when the queue is full.
  void write(const std::shared_ptr<Object>& object);

  // Reads the body into an object that has no head yet. Each piece is shown to the readers after its own check. Then
  // `done(true)`, with the object still filling but all of it there; or `done(false)`, with the object untouched or,
  // when a later piece was bad, with a head and the verified beginning. Never called inside this call.
  void load(std::shared_ptr<Object> object, std::function<void(bool)> done);

  // New metadata for the body that is stored, or on its way to be; see Store::freshen().
  void freshen(std::string_view key, ObjectMeta meta);

  bool has(std::string_view key) const;
  void touch(std::string_view key);
  void erase(std::string_view key);
  void probe(std::string key, std::function<void(std::optional<ObjectMeta>)> done);
  void add_counters(StoreCounters& counters) const;
  void close(std::function<void()> closed);

 private:
  struct State;
  static Result<std::unique_ptr<DiskTier>> open_or_start_empty(ring::Ring& ring, const Clock& clock, MemoryTier& memory,
                                                               const DiskTierOptions& options);
  static Result<std::unique_ptr<State>> open_state(ring::Ring& ring, const Clock& clock, MemoryTier& memory,
                                                   const DiskTierOptions& options);
  explicit DiskTier(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace reelway::edge
