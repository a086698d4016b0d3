#include "cli/bucket_url.h"

#include <algorithm>

#include "cli/session.h"
#include "common/access/title_name.h"

namespace reelway::cli {

Result<BucketUrl> parse_bucket_url(const std::string& text) {
  constexpr std::string_view scheme = "s3://";
  const std::string expected = "expected s3://BUCKET/KEY or s3://BUCKET/PREFIX/, found: " + text;
  if (!text.starts_with(scheme)) return usage_error(expected);
  BucketUrl url;
  const std::string rest = text.substr(scheme.size());
  url.bucket = rest.substr(0, rest.find('/'));
  if (url.bucket.empty()) return usage_error(expected);
  if (url.bucket.size() < rest.size()) url.prefix = rest.substr(url.bucket.size() + 1);
  return url;
}

std::string title_of_key(const std::string& key, bool whole_key) {
  if (!whole_key) return access::derive_title_id(key);
  std::string flat = key;
  std::replace(flat.begin(), flat.end(), '/', '-');
  return access::derive_title_id(flat);
}

}  // namespace reelway::cli
