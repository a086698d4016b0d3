#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "edge/store/object.h"
#include "edge/store/purge.h"

namespace reelway::edge {

// A tag as the index in memory keeps it: equal on every machine and in every run.
std::uint64_t tag_hash(std::string_view tag);

// One purge in force. It concerns objects whose fill began before it: those of a lower epoch.
struct PurgeRule {
  std::uint64_t epoch = 0;
  std::int64_t at_ms = 0;  // wall time: from then on what it matches softly is stale
  bool soft = false;
  PurgeRequest::Kind kind = PurgeRequest::Kind::url;
  std::string host;        // of a url or prefix; empty: films and every host
  std::string text;        // path, or tag
  std::uint64_t hash = 0;  // of a tag
  PurgeResult found;

  bool matches_key(std::string_view key) const;  // url or prefix
  bool matches(std::string_view key, std::span<const std::string> tags) const;
  bool matches(std::string_view key, std::span<const std::uint64_t> tag_hashes) const;
  void note(std::string_view key, bool in_memory, bool on_disk);
};

// The purges that are in force, until all they match is gone from the tiers. Pure. Few at a time (kMax), so they are
// looked through one by one; with none, a look-up costs one comparison.
//
// Epochs rise with each purge, over restarts too: the greater of the last one plus one and the wall clock's
// milliseconds. So a clock that was set back does no harm, nor does the loss of what was stored of them.
class PurgeRules {
 public:
  static constexpr std::size_t kMax = 256;

  bool empty() const { return rules_.empty(); }
  bool full() const { return rules_.size() >= kMax; }
  std::uint64_t epoch() const { return epoch_; }  // for a fill that begins now
  void raise_epoch(std::uint64_t at_least);

  // http_bad_request when the value cannot be one. Stays valid until it is retired.
  Result<PurgeRule*> add(const PurgeRequest& request, std::int64_t now_ms);
  // The stored form, and back after a restart; nullptr when it makes no sense.
  static Bytes encode(const PurgeRule& rule);
  PurgeRule* restore(ByteView stored);
  void retire(const PurgeRule& rule);

  // The latest hard one that concerns the object, else the latest soft one, else none.
  PurgeRule* find(const ObjectMeta& meta) {
    return find_for(meta.key, meta.purge_epoch, std::span<const std::string>(meta.tags));
  }
  PurgeRule* find(std::string_view key, std::uint64_t epoch, std::span<const std::uint64_t> tag_hashes) {
    return find_for(key, epoch, tag_hashes);
  }
  std::list<PurgeRule>& all() { return rules_; }

 private:
  template <class Tags>
  PurgeRule* find_for(std::string_view key, std::uint64_t epoch, Tags tags);

  std::uint64_t epoch_ = 0;
  std::list<PurgeRule> rules_;
};

}  // namespace reelway::edge
