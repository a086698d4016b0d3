#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "common/base/result.h"
#include "origin/jobs/job_board.h"
#include "origin/worker/work_client.h"

namespace reelway::origin {

// The films that a worker has fetched, as "<folder>/<sha256>", within a budget of bytes: the film that was not used for
// longest goes first. A film is fetched once however many parts ask for it; a fetch that breaks off goes on at the byte
// reached, also after a restart. Blocking; thread-safe.
class FilmCache {
 public:
  FilmCache(std::string folder, std::uint64_t bytes_max) : folder_(std::move(folder)), bytes_max_(bytes_max) {}

  // Makes the folder and takes note of what is there. io_failed.
  Result<void> open();
  // While somebody holds the path the film stays. `wanted` is asked as bytes come, and once a second while another
  // fetches the same film: its error ends the call. shutting_down when patience was given up.
  // disk_full when the film is larger than the budget; io_failed, stored_data_corrupt when what came has another sum;
  // those of WorkClient.
  using Wanted = std::function<Result<void>()>;
  Result<std::shared_ptr<const std::string>> get(const SourceFile& film, const std::string& path,
                                                 const WorkClient& client, Patience& patience, const Wanted& wanted);

 private:
  Result<void> fetch(const SourceFile& film, const std::string& path, const WorkClient& client, Patience& patience,
                     const Wanted& wanted);
  void make_room(std::uint64_t bytes);  // with the mutex held

  struct Entry {
    std::uint64_t bytes = 0;
    std::shared_ptr<const std::string> path;  // handed out; nobody else has it: may go
    bool fetching = false;
    std::uint64_t used = 0;  // higher: later
  };

  const std::string folder_;
  const std::uint64_t bytes_max_;
  std::mutex mutex_;
  std::condition_variable fetched_;
  std::map<std::string, Entry> films_;  // by sum; guarded by mutex_, as uses_
  std::uint64_t uses_ = 0;
};

}  // namespace reelway::origin
