#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "origin/storage/pace.h"
#include "origin/storage/storage_parts.h"

namespace reelway::origin {

// How far a run over the files is.
struct ScrubTally {
  std::uint64_t files = 0, files_total = 0;
  std::uint64_t bytes = 0, bytes_total = 0;
  std::uint64_t found = 0, mended = 0;
};

// Reads files again, at the set pace, and compares them with what is known of them; mends them from the second copy
// where there is one. Of files that are in the bucket only, and of copies, it asks the bucket whether they are still
// there as they were stored. One thread; blocking. Errors: of the control store, shutting_down.
class Scrubber {
 public:
  // `should_yield`: somebody waits for run(), so step() stops as soon as it can be gone on with.
  Scrubber(const StorageParts& parts, std::function<bool()> should_yield);

  // Goes on with the present round by one file, or begins the next one if it is due. How many milliseconds there are
  // until something is due: 0 while a round is under way.
  Result<std::int64_t> step();
  // Reads all files now, or those of one title; the round stays where it is.
  using Tell = std::function<void(const ScrubTally& tally)>;
  Result<ScrubTally> run(const std::string& title, const Tell& tell);

  static bool is_scrubbed(const VersionRecord& version);

 private:
  struct Outcome {
    bool found = false, mended = false;
  };
  using OnRead = std::function<Result<void>(std::uint64_t bytes, const Sha256::Midstate* from_here)>;

  Result<void> each_file(const std::string& title, const std::function<Result<void>(const StoredFile&)>& use);
  Result<std::optional<StoredFile>> file_after(const FileId& at);
  Result<std::optional<StoredFile>> file_to_go_on_with(const ScrubRecord& round);
  Result<Outcome> scrub(const StoredFile& file, const Sha256::Midstate& from, const OnRead& on_read);
  Result<Outcome> settle(const StoredFile& file, const FileRecord& record);
  Result<void> check_copy(const StoredFile& file, const FileRecord& record);

  const StorageParts& parts_;
  const std::function<bool()> should_yield_;
  Pace pace_;
};

}  // namespace reelway::origin
