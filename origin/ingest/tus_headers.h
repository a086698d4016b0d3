#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

// The values of tus 1.0's header fields (https://tus.io/protocols/resumable-upload). Pure: a text that is not of the
// form is http_bad_request, and the detail names the field.

namespace reelway::origin {

inline constexpr std::size_t kUploadMetadataBytesMax = 4096;
inline constexpr std::size_t kUploadMetadataKeysMax = 32;
inline constexpr std::size_t kUploadPartsMax = 256;

// Upload-Length and Upload-Offset: decimal digits, below 2^63.
Result<std::uint64_t> parse_upload_number(std::string_view field, std::string_view value);

// Upload-Metadata: "filename ZmlsbS5tcDQ=,new_version dHJ1ZQ==,final". Values come decoded, and may be any bytes.
struct MetadataEntry {
  std::string key;
  std::string value;
};
Result<std::vector<MetadataEntry>> parse_upload_metadata(std::string_view value);

// What the metadata of an upload may say to us. Other keys are kept and given back, and mean nothing here.
struct UploadNaming {
  std::string filename;  // also from the key "name"
  std::string title;
  std::string fingerprint;  // of the client's file, by which the client finds its upload again
  bool new_version = false;
};
Result<UploadNaming> naming_of(const std::vector<MetadataEntry>& metadata);

enum class ChecksumAlgorithm : std::uint8_t { sha1, sha256, crc32 };
inline constexpr std::string_view kChecksumAlgorithms = "sha1,sha256,crc32";  // of Tus-Checksum-Algorithm

// Upload-Checksum: "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=".
struct ChunkChecksum {
  ChecksumAlgorithm algorithm = ChecksumAlgorithm::sha1;
  Bytes expected;  // as long as the algorithm's sums are
};
Result<ChunkChecksum> parse_upload_checksum(std::string_view value);

// Upload-Concat: "partial", or "final;" and the URLs of the parts in their order, absolute or paths, with a blank
// between. `folder` is the path below which uploads are: "/v1/tus/".
struct UploadConcat {
  bool final = false;
  std::vector<std::string> parts;  // ids; of a final one, at least one
};
Result<UploadConcat> parse_upload_concat(std::string_view value, std::string_view folder);

}  // namespace reelway::origin
