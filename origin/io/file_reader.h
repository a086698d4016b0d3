#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/result.h"
#include "origin/io/track_file.h"
#include "origin/net/event_loop.h"
#include "origin/net/file_body.h"

namespace reelway::origin {

struct ReadCounters {
  std::uint64_t sendfile_bytes = 0;
  std::uint64_t sendfile_turns = 0;
  std::uint64_t cold_reads = 0;  // times that a worker brought something in
  std::uint64_t cold_bytes = 0;
  std::uint64_t crc_failures = 0;  // ranges refused because a unit's sum differed
  std::uint64_t files_opened = 0;
};

// Opens track files and brings their ranges into memory, checked. Keeps the files most recently used open. Loop thread
// only; its callbacks come on the loop, never within the call.
class FileReader {
 public:
  static constexpr std::size_t kOpenFilesMax = 256;
  static constexpr std::uint64_t kTurnBytes = 256 * 1024;  // one sendfile: bounds how long others wait

  explicit FileReader(EventLoop& loop, std::size_t open_files_max = kOpenFilesMax);

  // A file that is open already, or null.
  std::shared_ptr<TrackFile> find(const std::string& path);

  // Opens a file that find() did not have. Errors: of TrackFile::open(), overloaded.
  using OnOpen = std::function<void(Result<std::shared_ptr<TrackFile>>)>;
  void open(const std::string& path, std::uint64_t file_bytes, std::shared_ptr<const mp4::UnitTable> units,
            OnOpen on_open);

  // Reads and checks what a range needs to be fit to send. Errors: of TrackFile::read_and_check(), overloaded.
  void warm(const std::shared_ptr<TrackFile>& file, TrackFile::Range range, std::function<void(Result<void>)> ready);

  // Another file was put in this one's place: the next request opens that one. Who sends from the old one ends with it.
  void replaced(const std::string& path) { forget(path); }

  // The range as part of a response. The reader outlives it.
  std::unique_ptr<FileBody> body(std::shared_ptr<TrackFile> file, TrackFile::Range range);

  const ReadCounters& counters() const { return counters_; }
  std::size_t open_count() const { return files_.size(); }

 private:
  friend class RangeBody;
  struct Entry {
    std::string path;
    std::shared_ptr<TrackFile> file;
  };
  void keep(std::shared_ptr<TrackFile> file);
  void forget(const std::string& path);
  void count_read(const TrackFile& file, TrackFile::Units units, const Result<void>& result);

  EventLoop& loop_;
  std::size_t open_files_max_;
  ReadCounters counters_;
  std::list<Entry> recent_;  // most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> files_;
};

}  // namespace reelway::origin
