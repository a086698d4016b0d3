#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/catalog/records.h"

namespace reelway::origin {

struct UploadOptions {
  std::string data_dir;
  std::uint64_t upload_bytes_max = 512ull << 30;
  std::uint64_t free_bytes_min = 256ull << 20;  // what must stay free on the disk
  std::size_t writers_max = 16;                 // uploads received at once; more are refused with overloaded
};

struct UploadRequest {
  std::string filename;
  std::uint64_t size_bytes = 0;
  std::string title;
  bool new_version = false;
};

class Uploads;

// The right to write one upload's bytes, in order, to <data_dir>/uploads/<id>.part, summing SHA-256 on the way.
// Destroyed without a successful finish() it removes what it wrote, and the upload may be written again.
// One thread at a time, any thread. Must not outlive its Uploads.
class UploadWriter {
 public:
  ~UploadWriter();
  UploadWriter(const UploadWriter&) = delete;
  UploadWriter& operator=(const UploadWriter&) = delete;

  // disk_full, io_failed, upload_too_large (more than announced). After an error only the destructor may follow.
  Result<void> append(ByteView bytes);
  // Syncs file and folder, then records sha256 and state complete. upload_incomplete when bytes are missing.
  Result<UploadRecord> finish();
  std::uint64_t bytes_written() const;

 private:
  friend class Uploads;
  struct State;
  explicit UploadWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Films on their way in. Blocking, thread-safe.
class Uploads {
 public:
  Uploads(ControlStore& store, Catalog& catalog, const Clock& clock, Random& random, UploadOptions options);
  ~Uploads();

  // At start, before anything else: makes the folder, removes part files that no complete upload owns, and uploads
  // that nobody finished within a day or used within a week.
  Result<void> recover();

  // Errors before any byte is sent: title_id_invalid, title_exists, title_not_found, upload_too_large, disk_full,
  // http_bad_request (size 0).
  Result<UploadRecord> begin(const UploadRequest& request);
  Result<UploadRecord> get(std::string_view upload);  // upload_not_found
  // upload_not_found, upload_in_progress, overloaded. A complete upload that no title has taken may be written again.
  Result<std::unique_ptr<UploadWriter>> write(std::string_view upload);

  // The part file of an upload.
  std::string part_path(std::string_view upload) const;

 private:
  friend class UploadWriter;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace reelway::origin
