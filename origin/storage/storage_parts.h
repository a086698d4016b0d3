#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "origin/catalog/catalog.h"
#include "origin/objects/object_store.h"
#include "origin/storage/storage_ledger.h"
#include "origin/storage/storage_options.h"
#include "origin/storage/stored_files.h"

namespace reelway::origin {

struct StorageCounters {
  std::atomic<std::uint64_t> copied_files{0}, copied_bytes{0}, copy_failures{0};
  std::atomic<std::uint64_t> scrubbed_files{0}, scrubbed_bytes{0}, rounds{0};
  std::atomic<std::uint64_t> found{0}, mended{0}, not_mended{0};
  std::atomic<std::uint64_t> removed_files{0}, moved_files{0};
};

// What copying, scrubbing and collecting share. All of it outlives them.
struct StorageParts {
  ControlStore& store;
  Catalog& catalog;
  const Clock& clock;
  Random& random;
  const StorageOptions& options;
  StorageLedger& ledger;
  ObjectStore* bucket;  // of the second copy; null without one
  Patience& patience;   // given up when the process is to end
  StorageCounters& counters;
  // A file was put in the place of another: whoever has the old one open should open it again. Any thread.
  std::function<void(const std::string& path)> on_replaced;
};

// Where a file's copy is, or will be.
ObjectName copy_name(const StorageOptions& options, const FileId& id);

// Records that a file is not as it should be, in ledger, log and metrics.
Result<FileRecord> note_finding(const StorageParts& parts, const StoredFile& file, FileFinding finding);

Error stopped();

}  // namespace reelway::origin
