#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "origin/ingest/sha256.h"

namespace reelway::origin {

// How far a resumable upload is: what its HEAD answers, and what a process that starts anew goes on from.
struct UploadProgress {
  std::uint64_t sequence = 0;  // of the writes; the higher one of the two slots holds
  std::int64_t written_at_ms = 0;
  Sha256::Midstate sum;  // of the bytes before the offset

  std::uint64_t offset() const { return sum.bytes; }
};

// One slot of a progress file (docs/formats/upload_progress.md). Pure.
inline constexpr std::size_t kProgressSlotBytes = 132;
Bytes encode_progress(const UploadProgress& progress);
std::optional<UploadProgress> parse_progress(ByteView slot);  // nothing: no such slot, or a torn one

// The progress file beside an upload's bytes. It has two slots, written in turn and each with a sum of its own, so that
// a write that is cut off leaves the slot before it. Blocking. Errors: io_failed, disk_full.
class ProgressFile {
 public:
  // Makes it when it is not there; its folder is not synced.
  static Result<ProgressFile> open(const std::string& path);
  // Of a file that nobody may have made: nothing. stored_data_corrupt when neither slot can be read.
  static Result<std::optional<UploadProgress>> read(const std::string& path);

  // Durable when it returns. What the progress speaks of must be durable before.
  Result<void> write(UploadProgress progress);

 private:
  std::string path_;
  UniqueFd file_;
  std::uint64_t sequence_ = 0;
};

}  // namespace reelway::origin
