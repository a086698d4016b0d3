#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/access/play_path.h"
#include "common/access/view.h"
#include "common/http/message.h"
#include "edge/request/fill.h"
#include "edge/store/store.h"

namespace reelway::edge {

struct PrefetchOptions {
  std::size_t segments = 1;      // ahead of the one that is asked for; 0: none
  std::size_t running_max = 16;  // fetches at once
};

struct PrefetchCounters {
  std::uint64_t begun = 0;
  std::uint64_t used = 0;       // of them, asked for by a player while still among the last kRemembered
  std::uint64_t held_back = 0;  // the upstream was busy with what players wait for, or running_max was reached
};

// Fetches the segment that a playing session will ask for next, so that it is there when it does: by the player's own
// word (CMCD) or the media playlist. Only what its view allows, and only while the upstream has room: never ahead of
// what somebody waits for. One ring thread.
class Prefetch {
 public:
  static constexpr std::size_t kRemembered = 1024;

  // Has the task run by the Prefetch of the ring where the key is at home; at once when that is this one.
  using AtHomeOf = std::function<void(std::string_view key, std::function<void(Prefetch&)> task)>;

  // `upstream_has_room`: whether a fetch that nobody waits for may be begun now.
  Prefetch(Store& store, Fills& fills, PrefetchOptions options, std::function<bool()> upstream_has_room,
           AtHomeOf at_home_of)
      : store_(store),
        fills_(fills),
        options_(options),
        upstream_has_room_(std::move(upstream_has_room)),
        at_home_of_(std::move(at_home_of)) {}

  struct Asked {
    const http::RequestHead& request;
    const access::PlayPath& path;
    const access::View& view;
    const std::string& key;
    bool was_in_memory;
  };
  // A film's object is being answered. What was in memory, and not by a prefetch, leads to none unless the player says
  // what it wants next: so the hits of a popular film cost nothing, and a session that has met a miss meets no second.
  void after(const Asked& asked);

  const PrefetchCounters& counters() const { return counters_; }

 private:
  struct Candidate {
    std::string object_path;
    std::size_t ahead = 1;   // of the segment that was asked for
    bool is_listed = false;  // the player names it, or the playlist does: it exists
    access::View view;       // of the session
  };

  void consider(Candidate candidate);
  void consider_here(const Candidate& candidate, const std::string& key);
  void look_into_playlist(Candidate candidate);
  bool playlist_has(std::string_view object_path);
  bool has_room();
  void begin(const std::string& object_path, const std::string& key);
  bool take_fetched(const std::string& key);

  Store& store_;
  Fills& fills_;
  const PrefetchOptions options_;
  const std::function<bool()> upstream_has_room_;
  const AtHomeOf at_home_of_;
  std::vector<std::shared_ptr<Fill>> running_;  // some may have ended since they were looked at
  std::unordered_set<std::string> fetched_;     // keys
  std::deque<std::string> fetched_order_;       // oldest first; may name keys that were used since
  PrefetchCounters counters_;
};

}  // namespace reelway::edge
