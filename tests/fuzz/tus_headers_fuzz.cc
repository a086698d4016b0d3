#include <string>

#include "common/base/check.h"
#include "common/base/encoding.h"
#include "origin/ingest/progress_file.h"
#include "origin/ingest/tus_headers.h"

using namespace reelway;

// The input is read as each of tus's header fields, and as a slot of a progress file. What parses must stay within its
// bounds, and mean the same when it is written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input{data, size};
  const std::string_view text = as_text(input);

  if (const auto number = origin::parse_upload_number("Upload-Length", text)) {
    CHECK(*number <= static_cast<std::uint64_t>(INT64_MAX));
    CHECK(*origin::parse_upload_number("Upload-Length", std::to_string(*number)) == *number);
  }
  if (const auto entries = origin::parse_upload_metadata(text)) {
    CHECK(entries->size() <= origin::kUploadMetadataKeysMax);
    std::string again;
    for (const origin::MetadataEntry& entry : *entries) {
      again.append(again.empty() ? "" : ",").append(entry.key).append(" ").append(base64(as_bytes(entry.value)));
    }
    // A key may stand without a blank, which the text written here always has.
    if (again.size() <= origin::kUploadMetadataBytesMax) {
      const auto reread = origin::parse_upload_metadata(again);
      CHECK(reread.ok() && reread->size() == entries->size());
      for (std::size_t i = 0; i < reread->size(); ++i) {
        CHECK((*reread)[i].key == (*entries)[i].key && (*reread)[i].value == (*entries)[i].value);
      }
    }
    if (const auto naming = origin::naming_of(*entries)) CHECK(naming->filename.size() <= 255);
  }
  if (const auto checksum = origin::parse_upload_checksum(text)) {
    CHECK(checksum->expected.size() == 4 || checksum->expected.size() == 20 || checksum->expected.size() == 32);
  }
  if (const auto concat = origin::parse_upload_concat(text, "/v1/tus/")) {
    CHECK(concat->final == !concat->parts.empty() && concat->parts.size() <= origin::kUploadPartsMax);
    for (const std::string& part : concat->parts) CHECK(part.size() == 32 && part.find('/') == std::string::npos);
  }
  if (const auto progress = origin::parse_progress(input)) {
    const Bytes again = origin::encode_progress(*progress);
    CHECK(again.size() == input.size() && std::equal(again.begin(), again.end(), input.begin()));
  }
  return 0;
}
