#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "origin/ingest/import_file.h"
#include "origin/ingest/import_record.h"
#include "origin/ingest/import_source.h"

namespace reelway::origin {

// Fetches one film into its file: several parts at once, while the calling thread sums from the beginning on what
// has come, reading it back from the file. So the sum is that of the bytes that were kept, also of those that an
// earlier run fetched. Used once.
class ImportRun {
 public:
  // `received` counts bytes as they come, for progress.
  ImportRun(ImportSource& source, const ImportRecord& record, ImportFile& file, Patience& patience,
            std::atomic<std::uint64_t>& received);

  // The SHA-256, lower-case hex. Errors of ImportSource::read() and of the disk; object_corrupt when the film's sum
  // is not the one that was expected; stored_data_corrupt when a part came back wrong from the disk several times.
  Result<std::string> run(std::size_t parts_at_once);

 private:
  void fetch();
  Result<void> fetch_part(std::size_t part);
  std::optional<std::size_t> next_part();  // nothing: there is nothing to do any more
  Result<void> sum_part(std::size_t part, ContentChecksum& sha256, std::optional<ContentChecksum>& expected);
  Result<std::string> sum_all();
  bool wait_for(std::size_t part);  // false: the run has failed
  void fail(const Error& error);

  ImportSource& source_;
  const ImportRecord& record_;
  ImportFile& file_;
  Patience& patience_;
  std::atomic<std::uint64_t>& received_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::size_t> missing_;  // not held and not being fetched; guarded by mutex_, as all below
  bool summed_ = false;            // all is there: the fetchers end
  std::optional<Error> error_;     // the first one
};

}  // namespace reelway::origin
