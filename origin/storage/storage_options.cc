#include "origin/storage/storage_options.h"

#include <algorithm>
#include <array>

#include "common/config/values.h"

namespace reelway::origin {
namespace {

using config::Kind;

constexpr std::int64_t kMiB = 1024 * 1024;
constexpr std::int64_t kGiB = 1024 * kMiB;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kKeepMsMax = 36'500 * 24 * kHourMs;
constexpr std::size_t kPrefixBytesMax = 512;  // of the 1,024 that a key may have

constexpr std::array kOptions = {
    config::Option{
        "storage.copy.store", Kind::text, "", false, 0, 0,
        "Name of the object store, one of object_stores, that gets a second copy of originals and films once they are "
        "published. Its access key needs the rights to write, read and delete. Empty: there is no second copy."},
    config::Option{"storage.copy.bucket", Kind::text, "", false, 0, 0,
                   "Bucket for the second copy. It exists already."},
    config::Option{"storage.copy.prefix", Kind::text, "", false, 0, 0,
                   "What the keys in that bucket begin with, such as cinema/. Each origin needs one of its own."},
    config::Option{"storage.copy.rate", Kind::bytes, "50MiB", false, kMiB / 16, 100 * kGiB,
                   "How many bytes a second at most are copied to the bucket."},
    config::Option{
        "storage.originals", Kind::text, "disk", false, 0, 0,
        "disk or bucket: where originals are kept once their version is published. With bucket they leave the disk "
        "when the second copy is there, and are fetched when they are needed again. Films always stay on the disk."},
    config::Option{"scrub.rate", Kind::bytes, "20MiB", false, kMiB / 16, 100 * kGiB,
                   "How many bytes a second at most are read again to find rot."},
    config::Option{"scrub.every", Kind::duration, "168h", false, 1, kKeepMsMax,
                   "How long after the beginning of one round over all files the next may begin."},
    config::Option{"originals.keep", Kind::text, "forever", false, 0, 0,
                   "forever, or how long originals are kept after their version was published, such as 720h. Without "
                   "its original a film cannot be made anew."},
    config::Option{"originals.keep_failed", Kind::text, "forever", false, 0, 0,
                   "forever, or how long originals of ingests that failed are kept, such as 168h."},
    config::Option{
        "versions.keep", Kind::text, "forever", false, 0, 0,
        "forever, or how long a version is kept after another one took its place, such as 720h. It is always kept as "
        "long as somebody may still play it: the longer of play.token_lifetime and rights.token_lifetime_max."},
    config::Option{"versions.kept_min", Kind::integer, "2", false, 0, 100,
                   "How many former versions of a title are kept however old they are, to roll back to."},
};

Error invalid(std::string detail) {
  return {ErrorCode::config_value_invalid, Side::self, false, std::move(detail)};
}

Result<std::optional<std::chrono::milliseconds>> keep_time(const config::Settings& settings, const char* name) {
  const std::string& text = settings.text(name);
  if (text == "forever") return std::optional<std::chrono::milliseconds>();
  const auto time = config::parse_duration_ms(text);
  if (time && *time <= kKeepMsMax) return std::optional(std::chrono::milliseconds(*time));
  return invalid(std::string(name) + ": expected forever or a time such as 720h, found: " + text);
}

Result<RetentionRules> retention_rules(const config::Settings& settings) {
  RetentionRules rules;
  const auto read = [&](const char* name, std::optional<std::chrono::milliseconds>& out) -> Result<void> {
    const auto time = keep_time(settings, name);
    if (!time.ok()) return time.error();
    out = *time;
    return {};
  };
  REELWAY_TRY(read("originals.keep", rules.originals_keep));
  REELWAY_TRY(read("originals.keep_failed", rules.failed_keep));
  REELWAY_TRY(read("versions.keep", rules.versions_keep));
  rules.versions_kept_min = static_cast<std::size_t>(settings.integer("versions.kept_min"));
  return rules;
}

Result<std::optional<BucketPlace>> copy_place(const config::Settings& settings,
                                              const std::vector<ObjectStoreConfig>& stores) {
  const std::string& name = settings.text("storage.copy.store");
  if (name.empty()) return std::optional<BucketPlace>();
  const auto store =
      std::find_if(stores.begin(), stores.end(), [&](const ObjectStoreConfig& each) { return each.name == name; });
  if (store == stores.end()) {
    return invalid("storage.copy.store: expected a name of object_stores, found: " + name);
  }
  BucketPlace place{*store, settings.text("storage.copy.bucket"), settings.text("storage.copy.prefix")};
  if (!place.prefix.empty() && !place.prefix.ends_with('/')) place.prefix += '/';
  if (place.prefix.size() > kPrefixBytesMax || place.prefix.starts_with('/')) {
    return invalid("storage.copy.prefix: expected at most " + std::to_string(kPrefixBytesMax) +
                   " bytes that do not begin with '/'");
  }
  if (const Result<void> named = check_object_name(place.store, {place.bucket, place.prefix}); !named.ok()) {
    return invalid("storage.copy.bucket: " + named.error().detail);
  }
  return std::optional(std::move(place));
}

}  // namespace

std::span<const config::Option> storage_options() {
  return kOptions;
}

Result<StorageOptions> storage_options(const config::Settings& settings, const std::vector<ObjectStoreConfig>& stores) {
  StorageOptions options;
  auto copy = copy_place(settings, stores);
  if (!copy.ok()) return std::move(copy).error();
  options.copy = std::move(copy).value();
  options.copy_rate = settings.bytes("storage.copy.rate");
  const std::string& originals = settings.text("storage.originals");
  if (originals != "disk" && originals != "bucket") {
    return invalid("storage.originals: expected disk or bucket, found: " + originals);
  }
  options.originals_in_bucket = originals == "bucket";
  if (options.originals_in_bucket && !options.copy) {
    return invalid("storage.originals: bucket needs storage.copy.store and storage.copy.bucket");
  }
  options.scrub_rate = settings.bytes("scrub.rate");
  options.scrub_every = settings.duration("scrub.every");
  auto rules = retention_rules(settings);
  if (!rules.ok()) return std::move(rules).error();
  options.retention = std::move(rules).value();
  return options;
}

}  // namespace reelway::origin
