#pragma once

#include <string>
#include <vector>

#include "origin/storage/retention.h"
#include "origin/storage/storage_parts.h"

namespace reelway::origin {

// Removes what the rules of retention let go. Each removal is first recorded, in one transaction that fails when the
// title or the version has changed since it was looked at; only then files go, from the disk and from the bucket. What
// a crash leaves in between the next look finishes, so no record ever claims files that are gone. Blocking; one call at
// a time. Errors: of the control store, shutting_down.
class Collector {
 public:
  // `remove_files` is a seam: what takes a file or folder from the disk.
  using RemoveFiles = std::function<Result<void>(const std::string& path)>;
  Collector(const StorageParts& parts, RemoveFiles remove_files);

  // One look at everything: follows what is in use, finishes what was begun, removes what may go; or, with `is_dry`,
  // only says what that would be. What cannot be removed now is left to the next look.
  Result<std::vector<Removal>> collect(bool is_dry);

 private:
  struct Found;
  Result<Found> find(const TitleRecord& title);
  Result<void> remove(const Found& found, const Removal& removal);
  Result<void> record_film(const Found& found, const Removal& removal);
  Result<void> record_original(const Found& found, const Removal& removal);
  Result<void> check_moved(const FileRecord& record);

  Result<void> finish(const Found& found);
  Result<void> finish_film(const Found& found, const VersionRecord& version);
  Result<void> finish_original(const Found& found, const StoredFile& file);
  Result<void> erase_copy(const FileRecord& record);
  Result<void> abandon_copying(const FileId& id);

  const StorageParts& parts_;
  const RemoveFiles remove_files_;
};

}  // namespace reelway::origin
