#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "origin/catalog/records.h"
#include "origin/storage/storage_records.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

// What is known of files, in the control store. Blocking, thread-safe. Errors are the store's, and
// stored_data_corrupt.
class StorageLedger {
 public:
  explicit StorageLedger(ControlStore& store) : store_(store) {}

  Result<FileRecord> file(const FileId& id);  // one of which nothing is known yet has only its identity
  // Of a version, by name; with an empty version of the whole title.
  Result<std::map<FileId, FileRecord>> files(std::string_view title, std::string_view version);

  // Changes a file's record as it stands then. Only while the file is kept: version_not_found when its version has been
  // removed meanwhile, original_removed when the original has. Returns the record as it was written.
  Result<FileRecord> change(const FileId& id, const std::function<void(FileRecord& record)>& change);
  // store_conflict when the record or its version's has changed since these revisions.
  Result<void> replace(const FileRecord& record, Revision revision, Revision version_revision);

  // A copy in parts.
  struct Copying {
    CopyingRecord record;
    std::vector<UploadedPart> parts;
  };
  Result<std::optional<Copying>> copying(const FileId& id);
  // A copy that begins, with `part` empty, or that has one part more.
  Result<void> keep(const FileId& id, const CopyingRecord& record, const std::optional<UploadedPart>& part);
  Result<void> forget_copying(const FileId& id);
  // Copies that are under way, or were when the process ended.
  Result<std::vector<std::pair<FileId, CopyingRecord>>> copyings(std::string_view title, std::string_view version);

  Result<std::optional<ScrubRecord>> scrub();
  Result<void> write(const ScrubRecord& record);

  // Since when versions of a title are not the current one; nothing known yet: only its name.
  Result<UseRecord> use(std::string_view title);
  Result<void> write(const UseRecord& record);

  // A play URL for this version is valid until then, longer than sessions_max: it is kept that long. An hour
  // more is written each time, so that many such URLs are few writes.
  Result<void> hold(std::string_view title, std::string_view version, std::int64_t until_ms);
  Result<std::map<std::string, std::int64_t>> held_until_ms(std::string_view title);

  // Erases what is known of a version's files but its original.
  Result<void> forget_film(std::string_view title, std::string_view version);

 private:
  Result<void> erase_all(const std::string& prefix);

  ControlStore& store_;
};

// All entries below a prefix, a page at a time.
Result<void> for_each_entry(ControlStore& store, const std::string& prefix,
                            const std::function<Result<void>(const KeyValue&)>& use);

}  // namespace reelway::origin
