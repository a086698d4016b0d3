#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/ingest/manifest.h"
#include "origin/ingest/upload.h"

namespace reelway::origin {

struct WatchFolderOptions {
  std::string folder;                        // empty: none is watched
  std::chrono::milliseconds settle{10'000};  // so long a file's size and time of change must have stood still
  std::chrono::milliseconds period{2'000};   // between looks
  std::chrono::milliseconds retry{60'000};   // after an error that may pass, such as a full disk
};

// A folder whose files become titles. Each regular file that has stood still is copied into an upload, its title is
// begun under the id that its name gives, and it moves to done/ beside it; one that is refused moves to refused/, with
// <name>.txt that says why. Names that begin with '.' and those of transfers under way (.part, .tmp, .filepart,
// .crdownload) are left alone; so are links.
//
// A folder in it with a delivery.yaml is a vendor's delivery: it is taken as a whole once nothing in it has changed for
// that long, and moves as a whole. Other folders are left alone.
//
// The copy is a resumable upload, so a crash within it costs little; a file whose title was begun by an origin that
// died before the move is known by its SHA-256.
class WatchFolder {
 public:
  // Begins the title of a complete upload.
  using BeginTitle = std::function<Result<void>(const std::string& title, const std::string& upload)>;

  // Begins the title of a delivery whose files are uploads, by their names.
  using BeginDelivery = std::function<Result<void>(const std::string& manifest, const std::string& manifest_name,
                                                   const std::map<std::string, std::string>& uploads)>;

  WatchFolder(Uploads& uploads, Catalog& catalog, const Clock& clock, WatchFolderOptions options,
              BeginTitle begin_title, BeginDelivery begin_delivery);
  ~WatchFolder();  // stop()

  // Makes the folders and starts the thread; nothing without a folder. io_failed ...
  Result<void> start();
  void stop();  // also within a copy; idempotent. Blocking.

  // One look, as the thread takes them. Blocking, as long as there is something to copy.
  void look();

 private:
  struct Seen {
    std::uint64_t bytes = 0;      // of a delivery: of all its files, as the time
    std::int64_t changed_ns = 0;  // the latest
    bool is_delivery = false;
    Clock::Monotonic since{};       // when this size and time were first seen
    Clock::Monotonic not_before{};  // no attempt earlier
    bool operator==(const Seen& other) const { return bytes == other.bytes && changed_ns == other.changed_ns; }
  };

  std::map<std::string, Seen> list() const;
  void take(const std::string& name, Seen& seen);
  Result<void> ingest(const std::string& name, const Seen& seen);
  Result<UploadStatus> open_upload(const std::string& name, const std::string& title, const Seen& seen);
  // watched_delivery.cc
  Result<void> ingest_delivery(const std::string& name);
  Result<bool> is_known_delivery(const std::string& name, const Manifest& manifest) const;
  Result<std::string> bring_in(const std::string& name, const ManifestFile& file);
  Result<UploadStatus> copy(const std::string& name, const UploadStatus& upload);
  Result<bool> is_known(const std::string& name, const std::string& title) const;
  Result<std::string> sum_of(const std::string& name) const;
  void put_away(const std::string& name, const std::string& folder, const std::string& reason);
  void run();

  Uploads& uploads_;
  Catalog& catalog_;
  const Clock& clock_;
  const WatchFolderOptions options_;
  const BeginTitle begin_title_;
  const BeginDelivery begin_delivery_;
  std::map<std::string, Seen> seen_;  // by name
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace reelway::origin
