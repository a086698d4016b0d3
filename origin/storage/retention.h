#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "origin/catalog/records.h"
#include "origin/storage/storage_options.h"
#include "origin/storage/storage_records.h"

// What may be removed, as a rule over records. Pure.

namespace reelway::origin {

struct Removal {
  enum class Kind : std::uint8_t {
    film,      // the tracks and indexes of a version that is not played any more
    original,  // or what was delivered with it, wherever it is
    move,      // the same leaves the disk: the bucket has it
  };
  Kind kind = Kind::film;
  std::string title;
  std::string version;
  std::string file;         // "original/source"; of a film none
  std::uint64_t bytes = 0;  // on the disk
  std::string reason;
};
std::string_view name_of(Removal::Kind kind);

// A title with all that decides about its files.
struct TitleHoldings {
  TitleRecord title;
  std::int64_t changes = 0;                           // of the title's record since it was made
  std::vector<VersionRecord> versions;                // oldest first
  std::set<std::string> in_work;                      // versions with an unfinished job
  std::map<FileId, FileRecord> files;                 // what is known of them
  std::map<std::string, std::int64_t> held_until_ms;  // versions that long play URLs were made for
};

// The version that counts as the current one: a title that is taken off keeps its newest published one. Empty while
// there is none.
std::string current_of(const TitleHoldings& holdings);

// `before` as it is now. A version counts as superseded from the moment at which it is first seen so: never too early.
// When the title's record has changed more than once since the last look, any of its versions may have been the current
// one in between, so the time of all of them begins now.
UseRecord follow_use(const UseRecord& before, const TitleHoldings& holdings, std::int64_t now_ms);

// What the rules let go, and what has to leave the disk. Never anything of the current version's film, of a version in
// work, or of a version that was the current one less than sessions_max ago.
std::vector<Removal> removable(const TitleHoldings& holdings, const UseRecord& use, const RetentionRules& rules,
                               bool originals_in_bucket, std::int64_t now_ms);

}  // namespace reelway::origin
