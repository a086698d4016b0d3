// The chain: canonical request -> its SHA-256 in a string to sign -> HMAC with a key derived from secret, day, region
// and service. What is sent is made by the same functions as what is signed, so that the two cannot differ. OpenSSL is
// used through its one-shot calls only, which makes the functions thread-safe; they fail for want of memory only.

#include "common/access/aws_signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "common/base/check.h"
#include "common/base/encoding.h"

namespace reelway::access {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

Bytes hmac(ByteView key, std::string_view text) {
  Bytes digest(32);
  unsigned length = 0;
  const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), as_bytes(text).data(), text.size(),
                          digest.data(), &length);
  CHECK(made != nullptr && length == digest.size());
  return digest;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Without blanks at its ends, and with one space for each run of blanks within.
std::string trimmed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (!is_blank(c))
      out.push_back(c);
    else if (!out.empty() && out.back() != ' ')
      out.push_back(' ');
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string credential_scope(const AwsScope& scope, std::int64_t time_s) {
  return aws_time(time_s).substr(0, 8) + "/" + scope.region + "/" + scope.service + "/aws4_request";
}

std::string signature(const AwsCanonicalRequest& canonical, const AwsCredentials& credentials, const AwsScope& scope,
                      std::int64_t time_s) {
  Bytes key = aws_signing_key(credentials, scope, time_s);
  const std::string text = hex(hmac(key, aws_string_to_sign(canonical, scope, time_s)));
  OPENSSL_cleanse(key.data(), key.size());
  return text;
}

}  // namespace

std::string aws_time(std::int64_t time_s) {
  const std::chrono::sys_seconds time{std::chrono::seconds(time_s)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

std::string sha256_hex(ByteView bytes) {
  std::array<std::uint8_t, 32> digest{};
  unsigned length = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1);
  return hex(digest);
}

std::string aws_encoded_path(std::string_view path) {
  std::string out = path.starts_with('/') ? "" : "/";
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    out.append(percent_encoded(path.substr(0, slash))).push_back('/');
    path.remove_prefix(slash + 1);
  }
  return out.append(percent_encoded(path));
}

std::string aws_encoded_query(const AwsFields& query) {
  // Sorted as encoded, by name and then by value.
  AwsFields encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(percent_encoded(name), percent_encoded(value));
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) out.append(out.empty() ? "" : "&").append(name).append("=").append(value);
  return out;
}

AwsCanonicalRequest aws_canonical_request(const AwsRequest& request) {
  AwsFields fields{{"host", trimmed(request.host)}};
  for (const auto& [name, value] : request.headers) fields.emplace_back(lower(name), trimmed(value));
  // Fields of one name keep their order, which means something.
  std::stable_sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  std::string lines, names;
  for (std::size_t at = 0; at < fields.size();) {
    const std::string& name = fields[at].first;
    names.append(names.empty() ? "" : ";").append(name);
    lines.append(name).append(":").append(fields[at].second);
    for (++at; at < fields.size() && fields[at].first == name; ++at) lines.append(",").append(fields[at].second);
    lines.append("\n");
  }
  AwsCanonicalRequest canonical;
  canonical.text = request.method + "\n" + aws_encoded_path(request.path) + "\n" + aws_encoded_query(request.query) +
                   "\n" + lines + "\n" + names + "\n" + request.payload_sha256;
  canonical.signed_headers = std::move(names);
  return canonical;
}

std::string aws_string_to_sign(const AwsCanonicalRequest& canonical, const AwsScope& scope, std::int64_t time_s) {
  std::string text(kAlgorithm);
  text.append("\n").append(aws_time(time_s)).append("\n").append(credential_scope(scope, time_s));
  return text.append("\n").append(sha256_hex(as_bytes(canonical.text)));
}

Bytes aws_signing_key(const AwsCredentials& credentials, const AwsScope& scope, std::int64_t time_s) {
  std::string secret = "AWS4" + credentials.secret_access_key;
  Bytes key = hmac(as_bytes(secret), aws_time(time_s).substr(0, 8));
  OPENSSL_cleanse(secret.data(), secret.size());
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")}) {
    key = hmac(key, part);
  }
  return key;
}

AwsFields aws_signed_headers(const AwsRequest& request, const AwsCredentials& credentials, const AwsScope& scope,
                             std::int64_t time_s) {
  AwsFields added{{"x-amz-date", aws_time(time_s)}};
  if (scope.service == "s3") added.emplace_back("x-amz-content-sha256", request.payload_sha256);
  if (!credentials.session_token.empty()) added.emplace_back("x-amz-security-token", credentials.session_token);

  AwsRequest whole = request;
  whole.headers.insert(whole.headers.end(), added.begin(), added.end());
  const AwsCanonicalRequest canonical = aws_canonical_request(whole);
  std::string authorization(kAlgorithm);
  authorization.append(" Credential=").append(credentials.access_key_id).append("/");
  authorization.append(credential_scope(scope, time_s));
  authorization.append(", SignedHeaders=").append(canonical.signed_headers);
  authorization.append(", Signature=").append(signature(canonical, credentials, scope, time_s));
  added.emplace_back("Authorization", std::move(authorization));
  return added;
}

std::string aws_presigned_query(const AwsRequest& request, const AwsCredentials& credentials, const AwsScope& scope,
                                std::int64_t time_s, std::int64_t lifetime_s) {
  AwsRequest whole = request;
  whole.payload_sha256 = kUnsignedPayload;
  whole.query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  whole.query.emplace_back("X-Amz-Credential", credentials.access_key_id + "/" + credential_scope(scope, time_s));
  whole.query.emplace_back("X-Amz-Date", aws_time(time_s));
  whole.query.emplace_back("X-Amz-Expires", std::to_string(lifetime_s));
  whole.query.emplace_back("X-Amz-SignedHeaders", aws_canonical_request(whole).signed_headers);
  if (!credentials.session_token.empty()) whole.query.emplace_back("X-Amz-Security-Token", credentials.session_token);
  const std::string signed_with = signature(aws_canonical_request(whole), credentials, scope, time_s);
  return aws_encoded_query(whole.query) + "&X-Amz-Signature=" + signed_with;
}

}  // namespace reelway::access
