#pragma once

#include <functional>
#include <memory>

#include "common/base/result.h"
#include "origin/store/control_store.h"
#include "origin/store/database.h"

namespace reelway::origin {

struct CommitLimits {
  std::size_t queue_max = 1024;  // transactions waiting; more are refused with overloaded
  std::size_t group_max = 256;   // transactions of one synced write
  std::size_t group_bytes_max = 8 << 20;
  std::uint64_t free_bytes_min = 32ull << 20;  // below this, puts are refused with disk_full and change nothing
};

// Orders all writes: one thread takes what waits, evaluates it in turn and makes it durable with one sync.
// Thread-safe; every call blocks until its group is on the disk.
class GroupCommitter {
 public:
  // `committed(revision)` is called on the writer's thread after a group is durable, before its members are answered.
  GroupCommitter(Database& database, const CommitLimits& limits, std::function<void(Revision)> committed);
  ~GroupCommitter();  // what waits is still done; then the thread ends

  Result<TxnReply> commit(const Txn& txn);
  Result<void> compact(Revision floor);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
