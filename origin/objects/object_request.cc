#include "origin/objects/object_request.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

#include "common/base/check.h"
#include "common/base/encoding.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kBucketMin = 3, kBucketMax = 63;
constexpr std::size_t kKeyMax = 1024;

Error bad_name(std::string detail) {
  return {ErrorCode::http_bad_request, Side::client, false, std::move(detail)};
}

// What follows "https://".
std::string_view authority(const std::string& endpoint) {
  const auto mark = endpoint.find("://");
  CHECK(mark != std::string::npos);
  return std::string_view(endpoint).substr(mark + 3);
}

bool is_one_of(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// A HEAD's answer has no body to say more than its status.
ErrorCode code_of_status(long status, bool has_key) {
  if (status == 401 || status == 403) return ErrorCode::object_store_denied;
  if (status == 404) return has_key ? ErrorCode::object_not_found : ErrorCode::bucket_not_found;
  if (status == 412 || status == 416) return ErrorCode::object_changed;
  if (status == 429 || status == 503) return ErrorCode::object_store_busy;
  if (status >= 300 && status < 400) return ErrorCode::object_store_redirected;
  return ErrorCode::object_store_failed;
}

ErrorCode code_of(const ObjectStoreFault& fault, long status, bool has_key) {
  const std::string_view code = fault.code;
  if (is_one_of(code, {"AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "InvalidToken",
                       "TokenRefreshRequired", "AccountProblem", "AllAccessDisabled", "InvalidSecurity", "NotSignedUp",
                       "XAmzContentSHA256Mismatch"})) {
    return ErrorCode::object_store_denied;
  }
  if (code == "RequestTimeTooSkewed") return ErrorCode::object_store_clock_skew;
  if (is_one_of(code, {"SlowDown", "ServiceUnavailable", "TooManyRequests", "RequestLimitExceeded"})) {
    return ErrorCode::object_store_busy;
  }
  if (is_one_of(code, {"PermanentRedirect", "TemporaryRedirect", "Redirect", "AuthorizationHeaderMalformed",
                       "IllegalLocationConstraintException"})) {
    return ErrorCode::object_store_redirected;
  }
  if (code == "NoSuchBucket") return ErrorCode::bucket_not_found;
  if (code == "NoSuchKey") return ErrorCode::object_not_found;
  if (is_one_of(code, {"PreconditionFailed", "InvalidRange"})) return ErrorCode::object_changed;
  return code_of_status(status, has_key);
}

bool may_succeed_again(const ObjectStoreFault& fault, long status) {
  if (is_one_of(fault.code, {"InternalError", "SlowDown", "RequestTimeout", "ServiceUnavailable", "TooManyRequests",
                             "RequestLimitExceeded", "OperationAborted"})) {
    return true;
  }
  return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

// What an operator must set so that the next request goes to the right place.
std::string elsewhere(const ObjectStoreFault& fault, const HttpAnswer& answer) {
  const std::string named = answer.header("x-amz-bucket-region");
  const std::string& region = named.empty() ? fault.region : named;
  std::string text;
  if (!region.empty()) text.append("; its region is ").append(region);
  if (!fault.endpoint.empty()) text.append("; its endpoint is ").append(fault.endpoint);
  return text;
}

}  // namespace

std::string object_url(const ObjectName& name) {
  return "s3://" + name.bucket + "/" + name.key;
}

Result<void> check_object_name(const ObjectStoreConfig& store, const ObjectName& name) {
  const auto fits = [&](char c) {
    const bool older = (c >= 'A' && c <= 'Z') || c == '_';
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || (older && store.path_style);
  };
  const std::string& bucket = name.bucket;
  if (bucket.size() < kBucketMin || bucket.size() > kBucketMax || !std::all_of(bucket.begin(), bucket.end(), fits) ||
      bucket.front() == '.' || bucket.front() == '-' || bucket.find("..") != std::string::npos) {
    return bad_name("bucket: expected 3 to 63 of a-z, 0-9, '.' and '-', beginning with a letter or digit");
  }
  if (name.key.size() > kKeyMax || name.key.find('\0') != std::string::npos || !is_utf8(name.key)) {
    return bad_name("key: expected at most 1024 bytes of UTF-8 without a zero byte");
  }
  return {};
}

HttpRequest signed_request(const ObjectStoreConfig& store, const ObjectRequest& request, std::int64_t time_s) {
  access::AwsRequest to_sign;
  to_sign.method = request.method;
  const std::string host(authority(store.endpoint));
  to_sign.host = store.path_style ? host : request.name.bucket + "." + host;
  to_sign.path = store.path_style ? "/" + request.name.bucket : "";
  if (!request.name.key.empty() || !store.path_style) to_sign.path.append("/").append(request.name.key);
  to_sign.query = request.query;
  to_sign.headers = request.headers;
  to_sign.payload_sha256 = request.payload_sha256;

  HttpRequest out;
  out.method = request.method;
  out.body = request.body;
  const std::string scheme = store.endpoint.substr(0, store.endpoint.size() - host.size());
  out.url = scheme + to_sign.host + access::aws_encoded_path(to_sign.path);
  if (!request.query.empty()) out.url.append("?").append(access::aws_encoded_query(request.query));
  out.headers = {{"Host", to_sign.host}};
  const auto added = access::aws_signed_headers(to_sign, store.credentials, {store.region, "s3"}, time_s);
  out.headers.insert(out.headers.end(), request.headers.begin(), request.headers.end());
  out.headers.insert(out.headers.end(), added.begin(), added.end());
  return out;
}

Error object_error(const ObjectStoreConfig& store, const ObjectRequest& request, const HttpAnswer& answer,
                   std::int64_t time_s) {
  const ObjectStoreFault fault = parse_fault(answer.body);
  const ErrorCode code = code_of(fault, answer.status, !request.name.key.empty());
  std::string detail = fmt::format("object store {} at {}, {}, access key id {}: the server said {}", store.name,
                                   store.endpoint, object_url(request.name), store.credentials.access_key_id,
                                   fault.code.empty() ? fmt::format("status {}", answer.status) : fault.code);
  if (!fault.message.empty()) detail.append(": ").append(fault.message);
  if (code == ErrorCode::object_store_clock_skew) {
    const std::string server_time = fault.server_time.empty() ? answer.header("date") : fault.server_time;
    detail.append(fmt::format("; the origin's time is {}, the server's {}", access::aws_time(time_s), server_time));
  }
  if (code == ErrorCode::object_store_redirected) detail.append(elsewhere(fault, answer));
  if (!fault.request_id.empty()) detail.append(" (request id ").append(fault.request_id).append(")");
  return {code, Side::upstream, may_succeed_again(fault, answer.status), std::move(detail)};
}

Error object_error(const ObjectStoreConfig& store, const Error& exchange_error) {
  Error error = exchange_error;
  if (error.side == Side::upstream) error.detail = "object store " + store.name + ": " + error.detail;
  return error;
}

}  // namespace reelway::origin
