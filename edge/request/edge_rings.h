#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/ring/ring.h"
#include "edge/request/edge_server.h"
#include "edge/request/ring_team.h"

namespace reelway::edge {

// One whole edge: the first ring, which the caller runs and on which the operator's port is, and one thread for each
// further one.
class EdgeRings {
 public:
  // `clock`: the first ring's. `base` is what the others make theirs of; both outlive it. Blocks, until all rings are
  // ready to start. Errors: those of EdgeServer::create() and rings_of(); then nothing is left running.
  static Result<std::unique_ptr<EdgeRings>> create(ring::Ring& first, const Clock& clock, const Clock& base,
                                                   const EdgeConfig& config);
  // After a drain has ended, or before start().
  ~EdgeRings();

  void start();
  // All rings finish their answers, then all close; then `drained` is called on the first one. A second call does
  // nothing.
  void drain(std::function<void()> drained);

  EdgeServer& first() { return *first_; }
  std::size_t size() const { return team_.size(); }

  // The task on each ring in turn, the first one first; then `done` on the first one.
  void visit(std::function<void(EdgeServer&)> task, std::function<void()> done);
  // A purge of the whole edge, as Store::purge(): in effect on all rings before `done` is called.
  void purge(const PurgeRequest& request, std::function<void(Result<PurgeResult>)> done);

 private:
  class Further;  // a ring on a thread of its own

  EdgeRings(ring::Ring& first, std::size_t rings);

  void close_unstarted();
  void visit_from(std::size_t index, std::function<void(EdgeServer&)> task, std::function<void()> done);
  // `begin` on each ring; when each has called what it was given, `done` on the first one.
  void on_all(const std::function<void(EdgeServer&, std::function<void()>)>& begin, std::function<void()> done);

  ring::Ring& first_ring_;
  RingTeam team_;
  std::atomic<std::size_t> connections_{0};
  std::unique_ptr<EdgeServer> first_;
  std::vector<std::unique_ptr<Further>> further_;
  bool draining_ = false;
};

}  // namespace reelway::edge
