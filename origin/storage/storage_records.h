#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "origin/ingest/sha256.h"
#include "origin/objects/object_answers.h"
#include "origin/objects/object_request.h"

// What the control store holds about the files of films, beside their versions' records. Pure.
//
//   /v1/storage/file/<title>/<version>/<name>            FileRecord
//   /v1/storage/copying/<title>/<version>/<name>         CopyingRecord: a copy in parts that is under way
//   /v1/storage/part/<title>/<version>/<name>/<number>   a part of it that the bucket has
//   /v1/storage/scrub                                    ScrubRecord: how far the present round is
//   /v1/storage/use/<title>                              UseRecord: since when versions are not the current one
//   /v1/storage/hold/<title>/<version>                   until when play URLs are valid that were made for longer
//
// Every text is JSON with "format":1. A file's name is "original/source", "film/video-720.mp4" or "film/video-720.idx".

namespace reelway::origin {

struct FileId {
  std::string title;
  std::string version;
  std::string name;
  auto operator<=>(const FileId&) const = default;
};
std::string describe(const FileId& id);  // "sintel v1 film/video-720.mp4"
bool is_original(const FileId& id);

// What was wrong with a file when it was last read.
struct FileFinding {
  std::int64_t found_at_ms = 0;
  std::uint64_t offset = 0;  // of the first byte that may be wrong
  std::uint64_t bytes = 0;   // of the run that holds what is wrong; the whole file where no smaller sum is known
  std::uint64_t places = 1;  // runs that are wrong
  std::string detail;
  std::int64_t mended_at_ms = 0;  // from the copy; 0: it is as it was found
  std::string mending_error;      // why it could not be mended
};

struct FileCopy {
  std::string store;  // as the configuration names it
  ObjectName object;
  std::string etag;
  std::int64_t copied_at_ms = 0;
};

struct FileRecord {
  FileId id;
  std::uint64_t bytes = 0;
  std::string sha256;  // lower-case hex; empty until known
  std::optional<FileCopy> copy;
  std::int64_t scrubbed_at_ms = 0;  // when it was last read whole
  std::optional<FileFinding> finding;
  std::int64_t moved_at_ms = 0;    // since when it is in the bucket only
  std::int64_t removed_at_ms = 0;  // since when it is nowhere, by the rules of retention
};

struct CopyingRecord {
  std::string upload_id;
  std::uint64_t part_bytes = 0;
  std::uint64_t parts = 0;  // that the bucket has
  Sha256::Midstate sum;     // of their bytes
};

struct ScrubRecord {
  std::int64_t round_began_at_ms = 0;
  std::int64_t round_ended_at_ms = 0;  // of the last round that ended
  FileId at;                           // the file that is being read, or was read last
  bool is_done = true;                 // with that file
  std::uint64_t offset = 0;            // up to where the file is right
  Sha256::Midstate sum;                // of that
  std::uint64_t bytes = 0;             // read in this round
};

struct UseRecord {
  std::string title;
  std::int64_t changes = 0;  // of the title's record, at the last look
  std::string current;       // version, then
  struct Superseded {
    std::string version;
    std::int64_t since_ms = 0;  // not before the moment when it was last the current one
  };
  std::vector<Superseded> superseded;
};

inline constexpr std::string_view kFilePrefix = "/v1/storage/file/";
inline constexpr std::string_view kCopyingPrefix = "/v1/storage/copying/";
inline constexpr std::string_view kScrubKey = "/v1/storage/scrub";
inline constexpr std::string_view kUsePrefix = "/v1/storage/use/";

std::string file_key(const FileId& id);
std::string copying_key(const FileId& id);
std::string part_prefix(const FileId& id);
std::string part_key(const FileId& id, std::uint64_t number);  // from 1
std::string use_key(std::string_view title);
std::string hold_key(std::string_view title, std::string_view version);
// The identity in a key behind `prefix`.
FileId file_id(std::string_view key, std::string_view prefix);

std::string to_json(const FileRecord& record);
std::string to_json(const CopyingRecord& record);
std::string to_json(const UploadedPart& part);
std::string to_json(const ScrubRecord& record);
std::string to_json(const UseRecord& record);
std::string hold_json(std::int64_t until_ms);

// stored_data_corrupt names the key.
Result<FileRecord> parse_file(std::string_view key, std::string_view json);
Result<CopyingRecord> parse_copying(std::string_view key, std::string_view json);
Result<UploadedPart> parse_part(std::string_view key, std::string_view json);
Result<ScrubRecord> parse_scrub(std::string_view key, std::string_view json);
Result<UseRecord> parse_use(std::string_view key, std::string_view json);
Result<std::int64_t> parse_hold(std::string_view key, std::string_view json);

}  // namespace reelway::origin
