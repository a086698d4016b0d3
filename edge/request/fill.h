#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "edge/net/upstream.h"
#include "edge/request/fetch.h"
#include "edge/store/store.h"

namespace reelway::edge {

class Fills;

// Brings one object in: from disk, or else from the upstream. An object of its own, not part of the request that began
// it, so it goes on when that request's client leaves. Fills owns it until it ends; requests may hold it longer.
class Fill final : public std::enable_shared_from_this<Fill>, private UpstreamCall {
 public:
  enum class Source : std::uint8_t { undecided, disk, upstream };

  class Watcher {
   public:
    // Once, when the source turns out to be the upstream. (That it is the disk shows by the object's own progress.)
    virtual void fetch_began() = 0;
    // An interim answer (1xx) came before the final one. `head` is valid within the call.
    virtual void interim(const http::ResponseHead& head) = 0;

   protected:
    ~Watcher() = default;
  };

  Fill(Fills& fills, FillPermit permit, std::unique_ptr<Fetch> fetch);

  Source source() const;
  const std::shared_ptr<Object>& object() const { return object_; }  // becomes that of the first slice, if it is sliced
  // From the head on: whether the answer may be stored, whether it may answer others than the one who began, and the
  // status that the upstream sent (0 without one).
  bool kept() const { return kept_; }
  bool shared() const { return shared_; }
  std::uint16_t upstream_status() const { return upstream_status_; }
  void add_watcher(Watcher& watcher) { watchers_.push_back(&watcher); }
  void remove_watcher(Watcher& watcher);

 private:
  friend class Fills;

  void load();
  void begin_fetch();
  void end();
  bool end_at_head(std::uint64_t body_bytes);
  bool go_on_with_slice(HeadVerdict& verdict);
  void complete();
  template <typename Tell>
  void tell_watchers(const Tell& tell);

  const std::string& request_text() const override { return request_text_; }
  void interim(const http::ResponseHead& head) override;
  bool head(const http::ResponseHead& head) override;
  std::span<std::uint8_t> room() override;
  bool advanced(std::size_t bytes) override;
  void ended() override;
  void failed(Error error) override;

  Fills& fills_;
  std::optional<FillPermit> permit_;  // lent to the store while it looks on disk
  std::shared_ptr<Object> object_;
  const std::unique_ptr<Fetch> fetch_;
  std::string request_text_;
  bool fetching_ = false;
  bool asks_again_ = false;       // once the answer at hand has ended
  bool ends_with_slice_ = false;  // the answer is longer than the object
  bool kept_ = false;
  bool shared_ = true;  // an error before the head is everybody's
  std::uint16_t upstream_status_ = 0;
  std::vector<Watcher*> watchers_;  // null where one left while they are told
  bool telling_ = false;
  std::vector<std::uint8_t> dropped_;  // a body that nobody gets
  std::shared_ptr<Fill> self_until_dropped_;
};

struct FillCounters {
  std::uint64_t fetches = 0;
  std::uint64_t fetched_bytes = 0;
  std::uint64_t fetch_failures = 0;
  std::uint64_t not_kept = 0;
  std::uint64_t not_modified = 0;
};

// All fills under way, and what they need.
class Fills {
 public:
  Fills(Store& store, Upstream& pool, const Clock& clock, std::string upstream_host, std::string edge_id,
        std::string upstream_secret);

  // Begins to fill the permit's object. Without `look_on_disk` only the upstream is asked: what is on disk is no use,
  // or is what is to be replaced.
  std::shared_ptr<Fill> begin(FillPermit permit, std::unique_ptr<Fetch> fetch, bool look_on_disk);
  std::shared_ptr<Fill> find(const Object& object) const;

  // A request's head to the upstream, with this edge's identity. `lines`: further ones, each with its end.
  std::string request_text(std::string_view path, std::string_view method = "GET", std::string_view lines = {}) const;
  Upstream& film_pool() const { return pool_; }
  Store& store() const { return store_; }
  const Clock& clock() const { return clock_; }
  std::size_t running() const { return running_.size(); }
  const FillCounters& counters() const { return counters_; }

 private:
  friend class Fill;

  Store& store_;
  Upstream& pool_;
  const Clock& clock_;
  const std::string upstream_host_;
  const std::string edge_id_;
  const std::string authorization_;
  FillCounters counters_;
  std::unordered_map<const Object*, std::shared_ptr<Fill>> running_;
};

}  // namespace reelway::edge
