#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "origin/objects/content_checksum.h"

// What the control store holds about an import, at /v1/import/<import>, as JSON with "format":1. Pure.

namespace reelway::origin {

enum class ImportState : std::uint8_t {
  queued,     // waits for its turn or is being fetched; a start takes up all of them
  done,       // it is an upload now
  failed,     // `error` says why; what is held stays for resume()
  cancelled,  // by an operator; nothing is held
};

struct ImportRecord {
  std::string import;
  // Of an object of a store; else all three are empty.
  std::string store;  // as the configuration names it
  std::string bucket;
  std::string key;
  // Of a URL; else both are empty.
  std::string url;  // as it was given: its query or its user may be a secret
  std::string url_shown;
  bool ranges = true;                        // whether parts can be asked for
  std::string etag;                          // of the content that is imported, and no other; may be empty for a URL
  std::uint64_t size_bytes = 0;              // 0: not known before it has come, of a URL without ranges
  std::uint64_t part_bytes = 0;              // the size of its parts, from its beginning on
  std::optional<ExpectedChecksum> checksum;  // that the store has for it, or the request
  std::string title;
  bool new_version = false;
  std::string upload;  // the id that it will have as an upload
  ImportState state = ImportState::queued;
  std::string sha256;  // once done
  std::int64_t created_at_ms = 0;
  std::int64_t ended_at_ms = 0;
  std::optional<Error> error;
};

inline constexpr std::string_view kImportPrefix = "/v1/import/";
std::string import_key(std::string_view import);
std::string_view name_of(ImportState state);
std::string source_of(const ImportRecord& record);  // for people: "s3://bucket/key", or the URL without its secrets

std::string to_json(const ImportRecord& record);
// stored_data_corrupt names the key.
Result<ImportRecord> parse_import(std::string_view key, std::string_view json);

}  // namespace reelway::origin
