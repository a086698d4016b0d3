#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "origin/ingest/upload.h"

// What the files of Uploads share; nobody else includes it.

namespace reelway::origin {

struct Uploads::State {
  ControlStore& store;
  Catalog& catalog;
  const Clock& clock;
  Random& random;
  const UploadOptions options;
  std::string folder;
  std::mutex announcing;  // what decides on a new upload and its announcing are one act
  std::mutex mutex;
  std::set<std::string, std::less<>> being_written;  // guarded by mutex
  bool concatenating = false;                        // guarded by mutex

  std::string part_path(std::string_view upload) const { return folder + "/" + std::string(upload) + ".part"; }
  std::string progress_path(std::string_view upload) const { return folder + "/" + std::string(upload) + ".progress"; }

  Result<void> check_room(std::uint64_t bytes) const;
  // The limits of what no title has taken, with `bytes` more. `announcing` is held.
  Result<void> check_quota(std::uint64_t bytes);

  // The one right to touch an upload's files. `busy` is the error when somebody has it.
  Result<void> begin_writing(std::string_view upload, ErrorCode busy);
  void end_writing(const std::string& upload);

  Result<UploadRecord> get(std::string_view upload);
  Result<std::vector<UploadRecord>> all();
  Result<void> announce(const UploadRecord& record);
  // Compares with what was read, so that an upload that a title took meanwhile is not taken back.
  Result<void> replace(const UploadRecord& before, const UploadRecord& after);
  // The same for the record's end.
  Result<void> erase(const UploadRecord& record);
  // Marks it as whole, with its sum and whether there is an original of the same bytes. Its file is durable already.
  Result<UploadRecord> complete(const UploadRecord& record, std::string sha256);
  Result<void> remove_files(std::string_view upload) const;

  Result<UploadStatus> status(UploadRecord record) const;
  bool is_over(const UploadStatus& status) const;
};

// Holds the right to touch an upload's files until it is destroyed.
class WritingClaim {
 public:
  static Result<WritingClaim> take(std::shared_ptr<Uploads::State> uploads, std::string_view upload, ErrorCode busy);
  WritingClaim(WritingClaim&&) noexcept = default;
  WritingClaim& operator=(WritingClaim&&) = delete;
  ~WritingClaim();

 private:
  WritingClaim(std::shared_ptr<Uploads::State> uploads, std::string_view upload)
      : uploads_(std::move(uploads)), upload_(upload) {}
  std::shared_ptr<Uploads::State> uploads_;  // null once moved from
  std::string upload_;
};

}  // namespace reelway::origin
