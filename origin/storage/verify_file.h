#pragma once

#include <functional>
#include <optional>
#include <string>

#include "origin/storage/file_check.h"
#include "origin/storage/pace.h"
#include "origin/storage/storage_parts.h"

namespace reelway::origin {

struct Verified {
  std::optional<FileFault> fault;
  std::uint64_t bytes = 0;
  std::string sha256;  // of the bytes as they are
};

struct VerifyHooks {
  Pace& pace;
  // After each piece: how many bytes were read, and, where a later run could go on from here, the sum so far.
  std::function<Result<void>(std::uint64_t bytes, const Sha256::Midstate* from_here)> on_read;
};

// Reads a file as it is on the disk and compares it with what is known: the sum of the whole (`sha256`, empty for
// unknown), a track's with the sums in its index, an index with its own. A file that is missing or that the disk cannot
// read is a fault, too. `from`: what is before its `bytes` was right. Errors: shutting_down, and what on_read said.
Result<Verified> verify_file(const StoredFile& file, const std::string& sha256, const Sha256::Midstate& from,
                             const VerifyHooks& hooks);

// Verifies a file of which no sum of the whole is known by what else is, and records its sum. stored_data_corrupt, and
// a finding, when it is wrong.
Result<FileRecord> learn_sum(const StorageParts& parts, const StoredFile& file, Pace& pace);

FileFinding finding_of(const FileFault& fault);

}  // namespace reelway::origin
