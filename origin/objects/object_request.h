#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/access/aws_signature.h"
#include "common/base/result.h"
#include "origin/client/http_connection.h"
#include "origin/objects/object_answers.h"

// What is sent to an S3-compatible store, and what its refusals mean here. Pure.

namespace reelway::origin {

// A store as the configuration names it.
struct ObjectStoreConfig {
  std::string name;
  std::string endpoint;  // "https://s3.eu-west-1.amazonaws.com", without a path
  std::string region;
  // In the path ("/bucket/key") or before the host ("bucket.host/key").
  bool path_style = true;
  access::AwsCredentials credentials;
  std::string ca_file;      // empty: the system's authorities
  bool etag_is_md5 = true;  // see expected_checksum()
};

// What a request is about; an empty key means the bucket.
struct ObjectName {
  std::string bucket;
  std::string key;
};
std::string object_url(const ObjectName& name);  // "s3://bucket/key"

// http_bad_request unless the bucket is named 3 to 63 of a-z, 0-9, '.' and '-' (A-Z and '_' too in path style, as
// older buckets have them), and the key has at most 1,024 bytes of UTF-8 without a zero byte.
Result<void> check_object_name(const ObjectStoreConfig& store, const ObjectName& name);

struct ObjectRequest {
  std::string method = "GET";
  ObjectName name;
  access::AwsFields query;
  access::AwsFields headers;  // all are signed
  HttpBody body;
  std::string payload_sha256{access::kEmptyPayloadSha256};
};

// Signed for this second: sign again for a repetition.
HttpRequest signed_request(const ObjectStoreConfig& store, const ObjectRequest& request, std::int64_t time_s);

// The error of an answer whose status is not 2xx, or of a fault within one. The detail names store, endpoint, bucket
// and access key id, and quotes the server. Codes: object_store_denied, object_store_clock_skew, object_store_busy,
// object_store_redirected, object_store_failed, bucket_not_found, object_not_found, object_changed.
Error object_error(const ObjectStoreConfig& store, const ObjectRequest& request, const HttpAnswer& answer,
                   std::int64_t time_s);
// The error of an exchange that gave no answer, with the store's name.
Error object_error(const ObjectStoreConfig& store, const Error& exchange_error);

}  // namespace reelway::origin
