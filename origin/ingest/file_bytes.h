#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace reelway::origin {

// Runs of a file's bytes, whole. `path` names the file in errors. Blocking. Errors: disk_full, io_failed,
// not_found_on_disk, and what `use` said.

inline constexpr std::size_t kFilePieceBytes = 1 << 20;

// At the file's position, or at an offset.
Result<void> write_all(int file, const std::string& path, ByteView bytes);
Result<void> write_all_at(int file, const std::string& path, std::uint64_t offset, ByteView bytes);
// Gives the file's bytes from `offset` to its end to `use`, in pieces of at most kFilePieceBytes. A link is not
// followed.
Result<void> read_pieces(const std::string& path, std::uint64_t offset,
                         const std::function<Result<void>(ByteView)>& use);

}  // namespace reelway::origin
