#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "origin/catalog/catalog.h"
#include "origin/storage/storage_records.h"

namespace reelway::origin {

// side: subtitles and small pictures, which have no sums but their own.
enum class FileKind : std::uint8_t { original, track, index, side };
std::string_view name_of(FileKind kind);

// A file that a version has, or had before it was moved or removed.
struct StoredFile {
  FileId id;
  FileKind kind = FileKind::original;
  std::string path;                    // where it is on the disk
  std::optional<std::uint64_t> bytes;  // as the version's record has it
  std::string sha256;                  // the same; empty: it does not say
  std::string index_path;              // of a track: the index that has the sums of its units
};

// The original first, then what was delivered with it, then each track before its index, then subtitles and small
// pictures. Of a version that is not made yet only the original.
std::vector<StoredFile> files_of(const Catalog& catalog, const VersionRecord& version);

}  // namespace reelway::origin
