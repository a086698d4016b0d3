#include "edge/net/upstream_pool.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

// A call takes an idle connection, else a new one while there are fewer than connections_max, else it waits its turn.
// A call whose reused connection turns out to have been closed by the upstream before it answered begins again. All
// idle connections are dropped then, because they are as old; on a new connection such a close is a failure.

namespace reelway::edge {

UpstreamPool::UpstreamPool(ring::Ring& ring, const Clock& clock, UpstreamOptions options)
    : ring_(ring), clock_(clock), options_(std::move(options)), wait_timer_(ring) {}

UpstreamPool::~UpstreamPool() {
  *alive_ = false;
}

void UpstreamPool::begin(UpstreamCall& call) {
  ++counters_.calls;
  if (closing_) return call.failed({ErrorCode::shutting_down, Side::self, true, {}});
  if (waiting_.empty() && try_begin(call)) return;
  if (waiting_.size() >= options_.waiting_max) {
    ++counters_.refused;
    return call.failed({ErrorCode::overloaded, Side::self, true,
                        std::to_string(options_.waiting_max) + " fetches wait for an upstream connection already"});
  }
  ++counters_.waits;
  waiting_.push_back({&call, clock_.monotonic()});
  if (!wait_timer_.armed()) wait_timer_.arm(options_.wait_max, [this] { give_up_waiting(); });
}

bool UpstreamPool::try_begin(UpstreamCall& call) {
  while (!idle_.empty()) {
    UpstreamConnection* connection = idle_.back();
    idle_.pop_back();
    if (!connection->idle()) continue;  // it is closing, unused for too long
    ++counters_.reuses;
    connection->start(call);
    return true;
  }
  if (connections_.size() >= options_.connections_max) return false;
  UpstreamConnection::Owner& owner = *this;
  auto made = std::make_unique<UpstreamConnection>(ring_, owner, options_.address, options_.name, options_.tls,
                                                   options_.timeouts);
  UpstreamConnection& connection = *made;
  connections_.emplace(&connection, std::move(made));
  ++counters_.connects;
  connection.start(call);
  return true;
}

void UpstreamPool::became_idle(UpstreamConnection& connection) {
  if (closing_) return connection.close({ErrorCode::shutting_down, Side::self, true, {}});
  idle_.push_back(&connection);
  serve_waiting();
}

void UpstreamPool::serve_waiting() {
  while (!waiting_.empty()) {
    const Waiting next = waiting_.front();
    waiting_.pop_front();
    if (try_begin(*next.call)) continue;
    waiting_.push_front(next);
    return;
  }
}

void UpstreamPool::closed(UpstreamConnection& connection, UpstreamCall* unanswered) {
  std::erase(idle_, &connection);
  const auto entry = connections_.find(&connection);
  CHECK(entry != connections_.end());
  // Its own functions are still on the stack.
  ring_.defer([dead = std::shared_ptr<UpstreamConnection>(std::move(entry->second))] {});
  connections_.erase(entry);
  if (closing_) {
    if (unanswered != nullptr) unanswered->failed({ErrorCode::shutting_down, Side::self, true, {}});
    return check_closed();
  }
  if (unanswered != nullptr) {
    ++counters_.repeats;
    for (UpstreamConnection* idle : std::exchange(idle_, {})) {
      idle->close({ErrorCode::upstream_unreachable, Side::upstream, true, {}});
    }
    if (!try_begin(*unanswered)) waiting_.push_front({unanswered, clock_.monotonic()});
  }
  serve_waiting();
}

void UpstreamPool::give_up_waiting() {
  const auto now = clock_.monotonic();
  while (!waiting_.empty() && now - waiting_.front().since >= options_.wait_max) {
    UpstreamCall& call = *waiting_.front().call;
    waiting_.pop_front();
    ++counters_.refused;
    call.failed({ErrorCode::overloaded, Side::self, true,
                 "no upstream connection became free within " + std::to_string(options_.wait_max.count()) + " ms"});
  }
  if (waiting_.empty()) return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(waiting_.front().since + options_.wait_max - now);
  wait_timer_.arm(std::max(left, std::chrono::milliseconds(1)), [this] { give_up_waiting(); });
}

void UpstreamPool::close(std::function<void()> closed) {
  CHECK(!closing_);
  closing_ = true;
  closed_ = std::move(closed);
  wait_timer_.disarm();
  const Error reason{ErrorCode::shutting_down, Side::self, true, {}};
  for (const Waiting& waiting : std::exchange(waiting_, {})) waiting.call->failed(reason);
  std::vector<UpstreamConnection*> all;
  for (auto& [key, connection] : connections_) all.push_back(connection.get());
  for (UpstreamConnection* connection : all) connection->close(reason);
  ring_.defer([this, alive = alive_] {
    if (*alive) check_closed();
  });
}

void UpstreamPool::check_closed() {
  if (closing_ && connections_.empty() && closed_) std::exchange(closed_, nullptr)();
}

}  // namespace reelway::edge
