#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace reelway::origin {

// What an import holds so far: <path>.part with the bytes in their places, and <path>.parts, which says what parts of
// it are whole, so that a crash costs at most the parts in flight. docs/formats/import_parts.md has the bytes.
// A part is listed only after its bytes are on the disk. Thread-safe but for open().
class ImportFile {
 public:
  struct Shape {
    std::uint64_t size_bytes = 0;  // 1 or more
    std::uint64_t part_bytes = 0;  // the last part may be shorter
    std::string etag;
  };

  // Takes up what is there, if it is of the same shape, or begins anew; takes the room on the disk for all of it at
  // once where the file system can: disk_full, io_failed.
  static Result<std::unique_ptr<ImportFile>> open(const std::string& path, const Shape& shape);
  // Removes both files.
  static Result<void> remove(const std::string& path);

  std::size_t parts() const { return crcs_.size(); }
  std::uint64_t offset_of(std::size_t part) const { return part * shape_.part_bytes; }
  std::uint64_t bytes_of(std::size_t part) const;
  bool holds(std::size_t part) const;
  std::uint64_t bytes_held() const;
  std::string bytes_path() const { return path_ + ".part"; }

  Result<void> write(std::uint64_t offset, ByteView bytes);
  // The part has been written whole, and this is the CRC-32C of its bytes: syncs and lists it.
  Result<void> keep(std::size_t part, std::uint32_t crc);
  // Gives the bytes of a part that is held, in pieces. False when they are not what was written: it is held no more.
  Result<bool> read(std::size_t part, const std::function<void(ByteView)>& take);

 private:
  ImportFile(std::string path, Shape shape);
  Result<void> open_files();
  Result<void> load();
  Result<void> begin_list();

  std::string path_;
  Shape shape_;
  UniqueFd bytes_;
  UniqueFd list_;
  mutable std::mutex mutex_;
  std::vector<std::optional<std::uint32_t>> crcs_;  // of the parts that are held; guarded by mutex_, as all below
  std::uint64_t held_ = 0;
};

}  // namespace reelway::origin
