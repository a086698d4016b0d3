#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "edge/store/object.h"
#include "edge/store/purge.h"

namespace reelway::ring {
class Ring;
}

namespace reelway::edge {

class DiskFaults;
class Store;

// The right to fill one object: from disk, or from upstream. Move-only. Destroyed without complete() or fail(), it
// fails the object with upstream_truncated, so waiters never hang.
//   head()      with keep = false: delivers to the readers but keeps nothing (uncacheable answers), and later lookups
//               do not follow
//   complete()  checks the length and, where the origin sent one, the CRC32C; a difference fails the object with
//               upstream_truncated or upstream_corrupt and nothing is kept. Else the object enters memory, and disk.
// A reader that is woken by one of these calls may not destroy or end the permit from there.
class FillPermit {
 public:
  FillPermit(FillPermit&&) noexcept;
  FillPermit& operator=(FillPermit&&) noexcept;
  ~FillPermit();

  const std::shared_ptr<Object>& object() const { return object_; }
  // Once, before any append; wakes the readers. After a load() that ended part-way the object has a head and some
  // verified bytes already: then this head must be of the same body (status, length, ETag, CRC32C), and the bytes
  // that are there are skipped as they come in again; with another body the object fails with upstream_corrupt.
  void head(ObjectMeta meta, bool keep);
  // Instead of the key that was looked up, the object goes under this one, as a variant; before head(). False, and
  // nothing is changed, when the object has a beginning from disk already, which is the one that was looked up.
  bool move_to(std::string key);
  // Room for the next bytes in the object's own memory, so a receive can land there without a copy; then advance().
  // Empty when the object has failed (also with overloaded, when memory is full of bodies in use) and when all of
  // the announced length is there.
  std::span<std::uint8_t> room();
  void advance(std::size_t count);
  void append(ByteView bytes);  // copies into room()
  Result<void> complete();
  // Instead of head(): the upstream's answer was 304. The permit's object becomes complete with the body of `stored`
  // under `meta` (key, status, length and sum stay) and takes its place in both tiers, if that is still `stored`'s.
  // `stored`: complete, found under this key. upstream_corrupt when the object has a beginning from disk already.
  Result<void> not_modified(const std::shared_ptr<Object>& stored, ObjectMeta meta);
  void fail(Error error);
  bool stopped_early() const;  // failed, or no reader is left and it is not kept: the fill may end

 private:
  friend class Store;
  FillPermit(Store& store, std::shared_ptr<Object> object);
  void abandon();
  void complete_from_disk();

  Store* store_ = nullptr;  // null once moved from or spent
  std::shared_ptr<Object> object_;
  bool keep_ = false;
  bool head_given_ = false;
  std::uint64_t skip_bytes_ = 0;         // of what comes in, already there from disk
  std::vector<std::uint8_t> skip_room_;  // where such bytes land
};

struct FurtherDisk {
  std::string directory;
  std::uint64_t bytes = 0;
};

struct StoreOptions {
  std::string directory;  // RocksDB index in <directory>/index, bodies in <directory>/slabs; empty: no disk tier
  std::uint64_t memory_bytes = 256ull << 20;  // all bodies in memory, in use or not; never exceeded
  std::uint64_t disk_bytes = 1ull << 30;
  std::vector<FurtherDisk> further_disks;          // beside `directory`; each has an index and slabs of its own
  std::uint64_t disk_queue_bytes = 64ull << 20;    // bodies waiting for their disk write; at most a quarter of memory
  std::uint64_t index_memory_bytes = 64ull << 20;  // of the indexes of all disks: blocks read, and writes not flushed
  std::uint64_t object_bytes_max = 256ull << 20;   // a larger object is passed, not kept
  std::size_t fills_max = 1024;
  DiskFaults* faults = nullptr;  // for tests
};

// Where an answer came from: for Cache-Status, metrics and explain.
enum class Tier : std::uint8_t { memory, disk, none };

struct Lookup {
  enum class Kind : std::uint8_t {
    hit,        // in memory and complete
    following,  // another request is filling it: read along
    fill,       // nobody has it in memory: this request holds the permit
    refused,    // the limit of fills is reached
  };
  Kind kind = Kind::refused;
  std::shared_ptr<Object> object;
  std::optional<FillPermit> permit;
};

// misses counts permits that load() gave back: nothing usable on disk.
struct StoreCounters {
  std::uint64_t memory_hits = 0, disk_hits = 0, follows = 0, misses = 0;
  std::uint64_t fills_completed = 0, fills_failed = 0, fills_refused = 0, fills_not_modified = 0;
  // memory_bytes is the capacity of every chunk that lives: kept objects, fills, and what a send still reads.
  std::uint64_t memory_bytes = 0, memory_objects = 0, memory_evictions = 0, memory_refused = 0;
  // While the index of a disk is being loaded, disk_bytes and disk_objects say nothing of it.
  std::uint64_t disks_loading = 0;
  // A disk is out when it could not be opened, or failed and was given up; its objects were lost then.
  std::uint64_t disks_in_service = 0, disks_out = 0, disk_objects_lost = 0;
  std::uint64_t disk_bytes = 0, disk_objects = 0, disk_evictions = 0;
  std::uint64_t disk_writes = 0, disk_write_errors = 0, disk_writes_shed = 0, disk_corrupt = 0;
  std::uint64_t disk_read_errors = 0, disk_queue_bytes = 0;
};

// One of the disks. Errors are those of reading and writing it, whatever became of the object.
struct DiskReport {
  std::string directory;
  bool is_in_service = false;
  bool is_loading = false;  // its index; `bytes` and `objects` say nothing meanwhile
  std::uint64_t bytes = 0, budget_bytes = 0, objects = 0;
  std::uint64_t read_errors = 0, write_errors = 0;
};

// Of the parts of one edge's store. A disk that is shared by all parts counts once: as out when it is for any.
void add(StoreCounters& to, const StoreCounters& more);

// The edge's store: a memory tier over a disk tier. For one ring thread; blocking work runs beside the ring.
class Store {
 public:
  // Opens or creates the directory; recovers after any crash. What is kept in memory of the objects on disk is read
  // beside the ring from then on: until it is there objects are found all the same, and those that come in wait for
  // their write. Errors: not_found_on_disk, io_failed, disk_full.
  static Result<std::unique_ptr<Store>> open(ring::Ring& ring, const Clock& clock, const StoreOptions& options);
  ~Store();

  // Collapses: of all requests that ask for a key at once, one gets the permit and the others follow.
  Lookup lookup(std::string_view key);

  // The right to replace what is stored, which is stale: like lookup(), but never a hit. The stored object stays to be
  // found by lookup() until the permit completes. A permit that fails, or that is passed without being kept, leaves the
  // stored object where it is.
  Lookup lookup_for_update(std::string_view key);

  // The right to fill an object that nobody else finds and that is never kept: for an answer to one request alone. A
  // `fill`, or `refused`.
  Lookup pass(std::string_view key);

  // New metadata for the same body, as after a 304: key, status, length and sum stay. In memory a new Object shares the
  // body, so those who read the former one are not disturbed; on disk the record is rewritten, the body is not. Does
  // nothing when nothing is stored, or when meta.length or meta.crc32c are given and are those of another body.
  void freshen(std::string_view key, ObjectMeta meta);

  // Tries to fill the permit's object from disk. On success the object is complete (its state says so, readers are
  // woken) and `done(disk)` is called with the permit spent; else `done(none)` and the permit, still unused, goes to
  // the caller for an upstream fetch. A record whose bytes do not match its CRC32C is dropped, counted and reported
  // as none. `done` runs on the ring's thread, never inside this call.
  void load(FillPermit permit, std::function<void(Tier, std::optional<FillPermit>)> done);

  // Drops the object from both tiers.
  void erase(std::string_view key);

  // In effect when it returns: from then on no look-up finds what it concerns (hard), or finds it stale (soft), and
  // fills under way of such objects are not kept. `done` is called on the ring's thread, never inside this call, when
  // it is also on disk, and so outlives kill -9 and loss of power, and when all it matched has been counted. Errors:
  // http_bad_request, overloaded (PurgeRules::kMax under way); io_failed: in effect, but no disk could keep it, so a
  // restart before its objects have left the disk would bring them back; shutting_down.
  void purge(const PurgeRequest& request, std::function<void(Result<PurgeResult>)> done);

  // What is in memory of a key, complete or being filled; null when nothing is. Leaves no trace in the policy and the
  // counters.
  std::shared_ptr<Object> peek(std::string_view key);

  // What is known of a key without touching it: for explain. `done` as in load().
  struct Probe {
    Tier tier = Tier::none;
    ObjectState state = ObjectState::failed;
    ObjectMeta meta;
    std::uint64_t bytes_present = 0;
  };
  void probe(std::string key, std::function<void(std::optional<Probe>)> done);

  StoreCounters counters() const;
  std::vector<DiskReport> disks() const;  // those that could not be opened last

  // The longest body that is kept.
  std::uint64_t kept_bytes_max() const;

  // Waits until every accepted disk write is in the index and every load has ended; then `closed` is called. After
  // that only the destructor may follow; before it, every FillPermit must be gone.
  void close(std::function<void()> closed);

 private:
  friend class FillPermit;
  struct State;
  explicit Store(std::unique_ptr<State> state);
  Lookup follow(const std::shared_ptr<Object>& object);
  Lookup begin_fill(std::string_view key, bool is_update);
  std::unique_ptr<State> state_;
};

}  // namespace reelway::edge
