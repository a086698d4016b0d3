#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "origin/store/control_store.h"
#include "origin/store/group_committer.h"
#include "origin/store/watch_hub.h"

namespace reelway::origin {

inline constexpr std::size_t kRangeLimitMax = 10'000;  // entries of one page, whatever is asked

// The embedded store with its limits open to choice: programs take the defaults through open_rocksdb_store(directory).
struct RocksdbStoreOptions {
  std::string directory;
  CommitLimits commit;
  WatchLimits watch;
};
Result<std::unique_ptr<ControlStore>> open_rocksdb_store(const RocksdbStoreOptions& options);

}  // namespace reelway::origin
