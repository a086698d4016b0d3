#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/config/settings.h"
#include "origin/objects/object_request.h"

namespace reelway::origin {

// How long what is kept. An absent time: for ever.
struct RetentionRules {
  std::optional<std::chrono::milliseconds> originals_keep;  // after their version was published
  std::optional<std::chrono::milliseconds> failed_keep;     // originals of ingests that failed
  std::optional<std::chrono::milliseconds> versions_keep;   // after another version took their place
  std::size_t versions_kept_min = 2;                        // of each title besides the current one, however old
  // The longest that somebody may play a version after it was last the current one: no rule removes it earlier.
  std::chrono::milliseconds sessions_max = std::chrono::hours(24);
};

// A place for objects in one of the configured stores.
struct BucketPlace {
  ObjectStoreConfig store;
  std::string bucket;
  std::string prefix;  // of every key; empty or ending with '/'
};

struct StorageOptions {
  std::string data_dir;
  std::uint64_t free_bytes_min = 256ull << 20;  // what must stay free on the disk
  std::optional<BucketPlace> copy;              // the second copy of everything
  std::uint64_t copy_rate = 50ull << 20;        // bytes a second
  std::uint64_t part_bytes = 64ull << 20;       // of copies: larger files are sent in parts of this size or more
  bool originals_in_bucket = false;             // they leave the disk when the bucket has them
  std::uint64_t scrub_rate = 20ull << 20;       // bytes a second
  std::chrono::milliseconds scrub_every = std::chrono::hours(168);
  std::uint64_t scrub_keep_bytes = 256ull << 20;  // how much is read again at most after a crash
  RetentionRules retention;
};

// "storage.copy.store", "scrub.rate", "originals.keep" ...: to be appended to the origin's options.
std::span<const config::Option> storage_options();
// config_value_invalid names the option and what was expected. data_dir, free_bytes_min and sessions_max are the
// caller's.
Result<StorageOptions> storage_options(const config::Settings& settings, const std::vector<ObjectStoreConfig>& stores);

}  // namespace reelway::origin
