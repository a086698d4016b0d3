#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "common/ring/ring.h"

namespace reelway::edge {

class EdgeServer;

// The rings of one edge: one thread each, which share nothing and speak by messages. A connection stays with the ring
// that accepted it. An object has one home, the ring whose store it lies in: whoever has the connection, it is looked
// up, fetched and purged there.
class RingTeam {
 public:
  static constexpr std::size_t kRingsMax = 64;

  explicit RingTeam(std::size_t rings) : members_(rings) {}
  RingTeam(const RingTeam&) = delete;
  RingTeam& operator=(const RingTeam&) = delete;

  // Each ring once, before any of them serves.
  void join(std::size_t index, ring::Ring& ring, EdgeServer& server) { members_[index] = {&ring, &server}; }

  std::size_t size() const { return members_.size(); }
  // Part of the store's format: what is on disk is looked for where this says. `key`: of a film's object, or a site's
  // without what tells variants apart.
  std::size_t home_of(std::string_view key) const;
  // From any thread; runs on that ring's, after all that was posted to it before.
  void post(std::size_t index, std::function<void(EdgeServer&)> task) const;

 private:
  struct Member {
    ring::Ring* ring = nullptr;
    EdgeServer* server = nullptr;
  };
  std::vector<Member> members_;
};

// Where one ring sits.
struct RingSeat {
  const RingTeam* team = nullptr;  // null: it is alone
  std::size_t index = 0;

  // The first one follows the origin and has the operator's port.
  bool is_first() const { return index == 0; }
  std::size_t rings() const { return team == nullptr ? 1 : team->size(); }
  bool is_home_of(std::string_view key) const { return rings() == 1 || team->home_of(key) == index; }
  void tell_others(const std::function<void(EdgeServer&)>& task) const;
  // Runs it at the key's home: at once when that is here, else by a message.
  void at_home_of(std::string_view key, EdgeServer& here, std::function<void(EdgeServer&)> task) const;
};

}  // namespace reelway::edge
