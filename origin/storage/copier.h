#pragma once

#include <functional>
#include <optional>
#include <string>

#include "origin/storage/pace.h"
#include "origin/storage/storage_parts.h"

namespace reelway::origin {

// Copies files to the bucket, one after another, a part at a time. What is copied is recorded; a large file that a
// crash interrupted goes on with the parts that are missing. A file that is not as it should be is not copied: that is
// a finding. One thread; blocking.
class Copier {
 public:
  explicit Copier(const StorageParts& parts);

  // Copies all files of published versions that have no copy yet. False: something could not be copied now (log and
  // copy_failures say what). Errors: of the control store, shutting_down.
  Result<bool> copy_all();

 private:
  struct Source;
  Result<void> claim_prefix();
  Result<bool> copy_version(const VersionRecord& version);
  Result<void> copy_file(const StoredFile& file);
  Result<ObjectHead> send(const StoredFile& file, const FileRecord& record);
  Result<void> abandon(const FileId& id);
  Result<void> record_copy(const StoredFile& file, const ObjectHead& head);

  const StorageParts& parts_;
  Pace pace_;
  bool has_claimed_ = false;
};

}  // namespace reelway::origin
