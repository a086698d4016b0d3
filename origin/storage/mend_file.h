#pragma once

#include "origin/storage/storage_parts.h"

namespace reelway::origin {

// Where files that are fetched to mend others lie until they are whole.
std::string mending_folder(const StorageOptions& options);

// Puts the bucket's copy of a file in its place: fetched aside, compared with the known SHA-256, synced, renamed. The
// record must have a copy. Errors: object_corrupt when the copy is not what was copied either, disk_full, those of
// ObjectStore, object_store_not_configured when the configuration no longer has the copy's store.
Result<void> mend_file(const StorageParts& parts, const StoredFile& file, const FileRecord& record);

}  // namespace reelway::origin
