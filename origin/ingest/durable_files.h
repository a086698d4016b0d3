#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace reelway::origin {

// Acts on files that must hold after a power cut: a rename or a new name is only durable once its folder is synced.
// All blocking. Errors: disk_full, io_failed, not_found_on_disk.

// Makes the folder and those above it, and syncs each parent of a new one.
Result<void> make_folders(const std::string& folder);
Result<void> sync_folder(const std::string& folder);
Result<void> sync_file(const std::string& path);
// Renames within one file system, making the target's folders first, and syncs both folders.
Result<void> move_durably(const std::string& from, const std::string& to);
// Writes a whole new file and syncs it, not its folder.
Result<void> write_durably(const std::string& path, const void* bytes, std::size_t count);
// Removes a file or a folder with all that is in it; what is absent is no error.
Result<void> remove_all(const std::string& path);

bool exists(const std::string& path);
std::uint64_t free_bytes(const std::string& folder);

}  // namespace reelway::origin
