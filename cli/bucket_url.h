#pragma once

#include <string>

#include "common/base/result.h"

namespace reelway::cli {

// "s3://bucket/films/": a bucket, and what its objects' keys begin with. A key is written as it is, not
// percent-encoded.
struct BucketUrl {
  std::string bucket;
  std::string prefix;  // may be empty

  // Whether all below is meant, not one object: an empty prefix, or one that ends in '/'.
  bool names_folder() const { return prefix.empty() || prefix.ends_with('/'); }
};

Result<BucketUrl> parse_bucket_url(const std::string& text);  // usage

// The title id of an object: of the name after the last '/' of its key without its ending, or, with `whole_key`, of all
// of the key. Empty when nothing of it can stand in one.
std::string title_of_key(const std::string& key, bool whole_key);

}  // namespace reelway::cli
