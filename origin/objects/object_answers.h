#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// What an S3-compatible store answers in XML, as values. Pure: text in, values out. The texts are a foreign server's:
// what is not of the documented form is object_store_answer_malformed, never a guess.
// Source: Amazon S3 API reference, ListObjectsV2, CreateMultipartUpload, CompleteMultipartUpload, "Error responses".

namespace reelway::origin {

struct ListedObject {
  std::string key;
  std::uint64_t size_bytes = 0;
  std::string etag;           // as a header has it, with its quotation marks
  std::string last_modified;  // ISO 8601, as the store writes it
};

struct ListPage {
  std::vector<ListedObject> objects;  // in the store's order
  std::string next_token;             // where the next page begins; empty: this was the last
};

// A page of at most 1,000 objects.
Result<ListPage> parse_list_page(std::string_view xml);

// Whether a text is visible ASCII and blanks of at most 8 KiB: fit for a header field and for a record.
bool is_plain(std::string_view text);

// The id of a multipart upload that was begun.
Result<std::string> parse_upload_id(std::string_view xml);

// What a store says of a request that failed; fields that it leaves out are empty. Not every server has XML for
// every error, so a body that cannot be read is an ObjectStoreFault without a code.
struct ObjectStoreFault {
  std::string code;     // "SignatureDoesNotMatch"
  std::string message;  // printable, at most 300 bytes
  std::string region;
  std::string endpoint;
  std::string server_time;
  std::string request_id;
};
ObjectStoreFault parse_fault(std::string_view xml);
// A request to complete a multipart upload may fail after its 200 has been sent: whether the body is an <Error>.
bool is_fault(std::string_view xml);

// "<CompleteMultipartUpload>..." of parts numbered from 1.
struct UploadedPart {
  std::string etag;
  std::string checksum_sha256;  // base64
};
std::string complete_upload_body(const std::vector<UploadedPart>& parts);

}  // namespace reelway::origin
