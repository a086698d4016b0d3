#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "edge/net/upstream_pool.h"
#include "edge/store/store.h"

namespace reelway::edge {

class Fills;

// Brings one object in: from disk, or else from the upstream. An object of its own, not part of the request that began
// it, so it goes on when that request's client leaves. Fills owns it until it ends; requests may hold it longer.
class Fill final : public std::enable_shared_from_this<Fill>, private UpstreamCall {
 public:
  enum class Source : std::uint8_t { undecided, disk, upstream };

  // Told once, when the source turns out to be the upstream. (That it is the disk shows by the object's own progress.)
  class Watcher {
   public:
    virtual void fetch_began() = 0;

   protected:
    ~Watcher() = default;
  };

  Fill(Fills& fills, FillPermit permit, std::string_view object_path, std::string_view view);

  Source source() const;
  const std::shared_ptr<Object>& object() const { return object_; }
  bool kept() const { return kept_; }  // from the head on: whether the answer may be stored
  void add_watcher(Watcher& watcher) { watchers_.push_back(&watcher); }
  void remove_watcher(Watcher& watcher) { std::erase(watchers_, &watcher); }

 private:
  friend class Fills;

  void load();
  void fetch();
  void end();
  bool refused(const http::ResponseHead& head);

  const std::string& request_text() const override { return request_text_; }
  bool head(const http::ResponseHead& head) override;
  std::span<std::uint8_t> room() override;
  bool advanced(std::size_t bytes) override;
  void ended() override;
  void failed(Error error) override;

  Fills& fills_;
  std::optional<FillPermit> permit_;  // lent to the store while it looks on disk
  const std::shared_ptr<Object> object_;
  const std::string object_path_;
  const std::string view_;
  std::string request_text_;
  bool fetching_ = false;
  bool kept_ = false;
  std::vector<Watcher*> watchers_;
  std::vector<std::uint8_t> dropped_;  // the body of a refusal
  std::shared_ptr<Fill> self_until_dropped_;
};

struct FillCounters {
  std::uint64_t fetches = 0;
  std::uint64_t fetched_bytes = 0;
  std::uint64_t fetch_failures = 0;
  std::uint64_t not_kept = 0;
};

// All fills under way, and what they need.
class Fills {
 public:
  Fills(Store& store, UpstreamPool& pool, const Clock& clock, std::string upstream_host, std::string edge_id,
        std::string upstream_secret);

  // Begins to fill the permit's object. `stored_is_stale`: what is on disk is no use, so only the upstream is asked.
  // The upstream is told the view unless it is that of every viewer.
  std::shared_ptr<Fill> begin(FillPermit permit, std::string_view object_path, std::string_view view,
                              bool stored_is_stale);
  std::shared_ptr<Fill> find(const Object& object) const;

  // A request's head to the upstream, with this edge's identity. `lines`: further ones, each with its end.
  std::string request_text(std::string_view path, std::string_view method = "GET", std::string_view lines = {}) const;
  std::size_t running() const { return running_.size(); }
  const FillCounters& counters() const { return counters_; }

 private:
  friend class Fill;

  Store& store_;
  UpstreamPool& pool_;
  const Clock& clock_;
  const std::string upstream_host_;
  const std::string edge_id_;
  const std::string authorization_;
  FillCounters counters_;
  std::unordered_map<const Object*, std::shared_ptr<Fill>> running_;
};

}  // namespace reelway::edge
