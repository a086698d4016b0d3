#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/storage/collector.h"
#include "origin/storage/scrubber.h"
#include "origin/storage/storage_options.h"
#include "origin/storage/storage_parts.h"

namespace reelway::origin {

// A file of a version, for people.
struct FileStatus {
  StoredFile file;
  FileRecord record;
  bool is_on_disk = false;
};
struct VersionFiles {
  VersionRecord version;
  bool is_current = false;
  std::vector<FileStatus> files;  // those that are somewhere, or were removed by a rule
};

struct ScrubStatus {
  bool is_running = false;  // one that somebody asked for
  std::string title;        // empty: all
  ScrubTally tally;         // of that one, or of the last one
  std::optional<Error> error;
  std::optional<ScrubRecord> round;  // the one that runs by itself
};

// Where the files of films are and how they fare: the second copy, the search for rot, what is removed when. Has
// threads of its own; every other call is blocking and thread-safe.
class FilmStorage {
 public:
  // `on_replaced` is told of each file that was put in the place of a damaged one, on any thread.
  FilmStorage(ControlStore& store, Catalog& catalog, const Clock& clock, Random& random, StorageOptions options,
              std::function<void(const std::string& path)> on_replaced);
  ~FilmStorage();  // stop()

  // Removes what a crash left half fetched, and starts the threads. Once.
  Result<void> start();
  void stop();  // idempotent

  // Of one title, or of all with an empty one. title_not_found.
  Result<std::vector<VersionFiles>> files(const std::string& title);

  // Begins to read all files now, or those of a title. title_not_found; overloaded while another such run is not over.
  Result<void> scrub(const std::string& title);
  Result<ScrubStatus> scrub_status();

  // Removes now what may be removed, or only says what.
  Result<std::vector<Removal>> collect(bool is_dry);

  // Where the bucket has the original of a version; nothing: it is on the disk. original_removed, version_not_found,
  // version_not_ready.
  Result<std::optional<FileRecord>> original(const std::string& title, const std::string& version);

  // A play URL of this version is valid until then.
  Result<void> hold(const std::string& title, const std::string& version, std::int64_t until_ms);

  const StorageOptions& options() const;
  const StorageCounters& counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
