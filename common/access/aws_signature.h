#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/bytes.h"

// AWS Signature Version 4 as S3 and what is compatible with it ask for it: the sender's half. Pure.
// Source: "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API reference.
//
// S3 departs from the other services in two rules, which hold here for all: a path is percent-encoded once, and it is
// never normalized ("//" and ".." are parts of a key).

namespace reelway::access {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // of temporary credentials; empty for lasting ones
};

struct AwsScope {
  std::string region;
  std::string service = "s3";
};

using AwsFields = std::vector<std::pair<std::string, std::string>>;

// A request as it means: nothing is percent-encoded yet. Names of header fields may be in any case.
struct AwsRequest {
  std::string method = "GET";
  std::string host;  // as the Host field carries it: with the port unless it is the scheme's own
  std::string path = "/";
  AwsFields query;             // in any order; a name may occur many times, a value may be empty
  AwsFields headers;           // further fields to sign, without Host and those that signing adds
  std::string payload_sha256;  // lower-case hex, or kUnsignedPayload
};

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
// SHA-256 of nothing.
inline constexpr std::string_view kEmptyPayloadSha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// The fields to send besides those of the request: x-amz-date, x-amz-content-sha256 (service s3 only),
// x-amz-security-token when there is one, Authorization.
AwsFields aws_signed_headers(const AwsRequest& request, const AwsCredentials& credentials, const AwsScope& scope,
                             std::int64_t time_s);

// A query that carries the signature, for whoever has no credentials: valid for `lifetime_s` (S3: at most 7 days) from
// `time_s`. The request's own query is in it; payload_sha256 is ignored, a presigned payload is never signed. The
// request's headers must be sent as they are here.
std::string aws_presigned_query(const AwsRequest& request, const AwsCredentials& credentials, const AwsScope& scope,
                                std::int64_t time_s, std::int64_t lifetime_s);

// Path and query as they must stand in the request line, which is also how they are signed.
std::string aws_encoded_path(std::string_view path);
std::string aws_encoded_query(const AwsFields& query);

// The steps, for tests and for whoever checks signatures.
struct AwsCanonicalRequest {
  std::string text;
  std::string signed_headers;  // "host;x-amz-date"
};
AwsCanonicalRequest aws_canonical_request(const AwsRequest& request);
std::string aws_string_to_sign(const AwsCanonicalRequest& canonical, const AwsScope& scope, std::int64_t time_s);
Bytes aws_signing_key(const AwsCredentials& credentials, const AwsScope& scope, std::int64_t time_s);

std::string aws_time(std::int64_t time_s);  // "20130524T000000Z"
std::string sha256_hex(ByteView bytes);     // lower case

}  // namespace reelway::access
