#include "edge/net/upstream_group.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/check.h"

// A member is one configured upstream; a peer is one of its addresses, with connections and health of its own; an
// attempt stands for one call of a caller's and is what the pools see.
//
// The life of an attempt:   choose a peer -> its pool -> head -> body -> ended
//                                  ^           |  failed before the head, may be sent again, a peer is left
//                                  +-----------+
//                           no peer is in use: probe the one that wakes first, or wait for the probe under way
//
// Peers are taken out only between two turns of calls (sweep), because a pool's own functions may be on the stack here.

namespace reelway::edge {
namespace {

constexpr double kChances = 1 << 20;

bool is_gateway_error(std::uint16_t status) {
  return status == 502 || status == 503 || status == 504;
}

void add(UpstreamCounters& sum, const UpstreamCounters& more) {
  sum.calls += more.calls;
  sum.connects += more.connects;
  sum.reuses += more.reuses;
  sum.repeats += more.repeats;
  sum.failures += more.failures;
  sum.waits += more.waits;
  sum.refused += more.refused;
}

}  // namespace

struct UpstreamGroup::Peer {
  Peer(UpstreamGroup& group, Member& of, const SocketAddress& at, UpstreamOptions options)
      : member(of), address(at), health(group.options_.health), pool(group.ring_, group.clock_, std::move(options)) {}

  bool unused() const { return pool.connections() == 0 && pool.waiting() == 0; }

  Member& member;
  const SocketAddress address;
  bool gone = false;  // no longer an address of its host
  UpstreamHealth health;
  UpstreamPool pool;
};

struct UpstreamGroup::Member {
  explicit Member(UpstreamHost& of) : host(of) {}

  UpstreamHost& host;
  std::uint64_t revision = 0;
  std::vector<std::unique_ptr<Peer>> peers;
  std::uint64_t calls = 0, failures = 0, gateway_errors = 0;
  telemetry::Histogram first_byte;
  UpstreamCounters of_gone_peers;
};

class UpstreamGroup::Attempt final : public UpstreamCall {
 public:
  Attempt(UpstreamGroup& group, UpstreamCall& of) : call(of), group_(group) {}

  const std::string& request_text() const override { return call.request_text(); }
  bool repeatable() const override { return call.repeatable(); }
  void request_leaves() override { request_left = true; }
  void interim(const http::ResponseHead& head) override { call.interim(head); }

  bool head(const http::ResponseHead& head) override {
    if (is_gateway_error(head.status) && group_.options_.retry_gateway_errors) {
      ++peer->member.gateway_errors;
      if (group_.start_elsewhere(*this)) return false;
    }
    const auto taken = std::chrono::duration_cast<std::chrono::microseconds>(group_.clock_.monotonic() - begun);
    peer->member.first_byte.observe_us(static_cast<std::uint64_t>(std::max<std::int64_t>(0, taken.count())));
    if (is_probe) group_.succeeded(*this);
    head_given = true;
    if (call.head(head)) return true;
    group_.let_go(*this);
    return false;
  }

  std::span<std::uint8_t> room() override { return call.room(); }

  bool advanced(std::size_t bytes) override {
    if (call.advanced(bytes)) return true;
    group_.let_go(*this);
    return false;
  }

  void ended() override {
    group_.succeeded(*this);
    const auto self = group_.release(*this);
    call.ended();
  }

  void failed(Error error) override {
    // After the head only a cut body is the upstream's failure; the rest is about what the caller had room for.
    const bool upstreams = error.side == Side::upstream && (!head_given || error.code == ErrorCode::upstream_truncated);
    if (upstreams) group_.failed(*this);
    if (upstreams && group_.start_elsewhere(*this)) return;
    const auto self = group_.release(*this);
    call.failed(std::move(error));
  }

  UpstreamCall& call;
  Peer* peer = nullptr;
  std::vector<const Peer*> tried;
  Clock::Monotonic begun;     // with the peer
  bool is_probe = false;      // of the peer
  bool judged = false;        // the peer's health has been told
  bool request_left = false;  // a byte of it may have reached the peer
  bool head_given = false;

 private:
  UpstreamGroup& group_;
};

UpstreamGroup::UpstreamGroup(ring::Ring& ring, const Clock& clock, Random& random, UpstreamGroupOptions options,
                             const std::vector<UpstreamHost*>& hosts)
    : ring_(ring), clock_(clock), random_(random), options_(std::move(options)) {
  for (UpstreamHost* host : hosts) members_.push_back(std::make_unique<Member>(*host));
  std::stable_sort(members_.begin(), members_.end(),
                   [](const auto& a, const auto& b) { return a->host.url().priority < b->host.url().priority; });
}

UpstreamGroup::~UpstreamGroup() {
  *alive_ = false;
}

void UpstreamGroup::begin(UpstreamCall& call) {
  if (closing_) return call.failed({ErrorCode::shutting_down, Side::self, true, {}});
  auto made = std::make_unique<Attempt>(*this, call);
  Attempt& attempt = *made;
  attempts_.emplace(&attempt, std::move(made));
  start(attempt);
}

void UpstreamGroup::start(Attempt& attempt) {
  follow_names();
  Peer* peer = admitted(attempt);
  if (peer == nullptr) peer = first_to_wake();
  if (peer != nullptr) return give(attempt, *peer);
  Error error{ErrorCode::upstream_unreachable, Side::upstream, true, "no address of an upstream is known"};
  const bool probed =
      std::any_of(members_.begin(), members_.end(), [](const auto& one) { return !one->peers.empty(); });
  if (probed && waiting_.size() < options_.waiting_max) {
    ++counters_.waits;
    return waiting_.push_back(&attempt);
  }
  if (probed) error = {ErrorCode::overloaded, Side::self, true, "too many fetches wait for an upstream that was down"};
  ++counters_.without_upstream;
  const auto self = release(attempt);
  self->call.failed(std::move(error));
}

// After a failure: whether the call goes on with another peer. Only then is a gateway error a failure of the peer:
// where there is nobody else it is the answer.
bool UpstreamGroup::start_elsewhere(Attempt& attempt) {
  const bool may_repeat = !attempt.request_left || attempt.repeatable();
  if (closing_ || attempt.head_given || !may_repeat || attempt.tried.size() > kRetriesMax) return false;
  follow_names();
  Peer* peer = admitted(attempt);
  if (peer == nullptr) return false;
  if (!attempt.judged) failed(attempt);
  ++counters_.retries;
  give(attempt, *peer);
  return true;
}

void UpstreamGroup::give(Attempt& attempt, Peer& peer) {
  attempt.peer = &peer;
  attempt.tried.push_back(&peer);
  attempt.begun = clock_.monotonic();
  attempt.is_probe = peer.health.begin_call();
  attempt.judged = false;
  attempt.request_left = false;
  if (attempt.is_probe) ++counters_.probes;
  ++peer.member.calls;
  peer.pool.begin(attempt);
}

// Of the smallest priority that has one: a peer that may be asked now and that the attempt has not tried.
UpstreamGroup::Peer* UpstreamGroup::admitted(const Attempt& attempt) {
  const auto now = clock_.monotonic();
  std::vector<Peer*> candidates;
  for (const auto& member : members_) {
    if (!candidates.empty() && candidates.front()->member.host.url().priority != member->host.url().priority) break;
    for (const auto& peer : member->peers) {
      const bool tried = std::find(attempt.tried.begin(), attempt.tried.end(), peer.get()) != attempt.tried.end();
      if (!peer->gone && !tried && peer->health.admits(now)) candidates.push_back(peer.get());
    }
  }
  if (candidates.empty()) return nullptr;
  return candidates[options_.in_turn ? turn_++ % candidates.size() : 0];
}

UpstreamGroup::Peer* UpstreamGroup::first_to_wake() {
  Peer* first = nullptr;
  for (const auto& member : members_) {
    for (const auto& peer : member->peers) {
      if (peer->gone || peer->health.state() != UpstreamHealth::State::resting) continue;
      if (first == nullptr || peer->health.rest_end() < first->health.rest_end()) first = peer.get();
    }
  }
  return first;
}

void UpstreamGroup::succeeded(Attempt& attempt) {
  if (std::exchange(attempt.judged, true)) return;
  attempt.peer->health.succeeded();
  if (!waiting_.empty()) probe_ended(nullptr);
}

void UpstreamGroup::failed(Attempt& attempt) {
  ++attempt.peer->member.failures;
  attempt.judged = true;
  const double chance = static_cast<double>(random_.next_u64() % static_cast<std::uint64_t>(kChances)) / kChances;
  attempt.peer->health.failed(clock_.monotonic(), std::exchange(attempt.is_probe, false), chance);
  const Error error{ErrorCode::upstream_unreachable, Side::upstream, true,
                    attempt.peer->member.host.name() + " was down, and the call that tried it again failed too"};
  if (!waiting_.empty() && !is_probing()) probe_ended(&error);
}

bool UpstreamGroup::is_probing() const {
  return std::any_of(members_.begin(), members_.end(), [](const auto& member) {
    return std::any_of(member->peers.begin(), member->peers.end(),
                       [](const auto& peer) { return peer->health.state() == UpstreamHealth::State::probing; });
  });
}

// The call is over without failed() or ended() to come.
void UpstreamGroup::let_go(Attempt& attempt) {
  const auto self = release(attempt);
}

std::unique_ptr<UpstreamGroup::Attempt> UpstreamGroup::release(Attempt& attempt) {
  if (attempt.peer != nullptr && attempt.is_probe && !std::exchange(attempt.judged, true)) {
    attempt.peer->health.probe_without_result();
    const Error error{ErrorCode::upstream_unreachable, Side::upstream, true, "the upstream is not known to be back"};
    if (!waiting_.empty() && !is_probing()) probe_ended(&error);
  }
  const auto found = attempts_.find(&attempt);
  CHECK(found != attempts_.end());
  auto owned = std::move(found->second);
  attempts_.erase(found);
  return owned;
}

// Those that waited go on, or have waited in vain. Told from the ring's loop: whoever made the verdict is still at
// work.
void UpstreamGroup::probe_ended(const Error* error) {
  ring_.defer([this, alive = alive_, waited = std::exchange(waiting_, {}),
               failure = error == nullptr ? std::optional<Error>() : *error] {
    if (!*alive) return;
    for (Attempt* attempt : waited) {
      if (!failure && !closing_) {
        start(*attempt);
        continue;
      }
      ++counters_.without_upstream;
      const auto self = release(*attempt);
      self->call.failed(closing_ ? Error{ErrorCode::shutting_down, Side::self, true, {}} : *failure);
    }
  });
}

// New addresses become peers at once; those that are no more are asked no more, and go when their calls have ended.
void UpstreamGroup::follow_names() {
  for (const auto& member : members_) {
    if (member->revision == member->host.revision()) continue;
    member->revision = member->host.revision();
    const auto& addresses = member->host.addresses();
    for (const auto& peer : member->peers) {
      peer->gone = std::find(addresses.begin(), addresses.end(), peer->address) == addresses.end();
      some_gone_ = some_gone_ || peer->gone;
    }
    for (const SocketAddress& address : addresses) {
      const bool known = std::any_of(member->peers.begin(), member->peers.end(),
                                     [&](const auto& peer) { return peer->address == address; });
      if (known) continue;
      UpstreamOptions options = options_.pool;
      options.address = address;
      options.tls = member->host.tls();
      options.name = member->host.name();
      if (address.text() != options.name) options.name += " (" + address.text() + ")";
      member->peers.push_back(std::make_unique<Peer>(*this, *member, address, std::move(options)));
    }
  }
  if (!std::exchange(some_gone_, false)) return;
  ring_.defer([this, alive = alive_] {
    if (*alive) sweep();
  });
}

void UpstreamGroup::sweep() {
  if (closing_) return;
  for (const auto& member : members_) {
    std::erase_if(member->peers, [&](const auto& peer) {
      if (!peer->gone) return false;
      if (!peer->unused()) {
        some_gone_ = true;  // looked at again with the next call
        return false;
      }
      add(member->of_gone_peers, peer->pool.counters());
      return true;
    });
  }
}

void UpstreamGroup::close(std::function<void()> closed) {
  CHECK(!closing_);
  closing_ = true;
  const Error reason{ErrorCode::shutting_down, Side::self, true, {}};
  if (!waiting_.empty()) probe_ended(&reason);
  const auto left = std::make_shared<std::size_t>(1);
  const auto one_closed = [left, done = std::move(closed)] {
    if (--*left == 0) done();
  };
  for (const auto& member : members_) {
    for (const auto& peer : member->peers) {
      ++*left;
      peer->pool.close(one_closed);
    }
  }
  ring_.defer(one_closed);
}

std::size_t UpstreamGroup::connections() const {
  std::size_t sum = 0;
  for (const UpstreamReport& one : report()) sum += one.connections;
  return sum;
}

std::size_t UpstreamGroup::idle_connections() const {
  std::size_t sum = 0;
  for (const UpstreamReport& one : report()) sum += one.idle_connections;
  return sum;
}

std::size_t UpstreamGroup::waiting() const {
  std::size_t sum = waiting_.size();
  for (const auto& member : members_) {
    for (const auto& peer : member->peers) sum += peer->pool.waiting();
  }
  return sum;
}

UpstreamCounters UpstreamGroup::pool_counters() const {
  UpstreamCounters sum;
  for (const auto& member : members_) {
    add(sum, member->of_gone_peers);
    for (const auto& peer : member->peers) add(sum, peer->pool.counters());
  }
  return sum;
}

std::vector<UpstreamReport> UpstreamGroup::report() const {
  std::vector<UpstreamReport> reports;
  for (const auto& member : members_) {
    UpstreamReport& one = reports.emplace_back();
    one.name = member->host.name();
    one.priority = member->host.url().priority;
    one.calls = member->calls;
    one.failures = member->failures;
    one.gateway_errors = member->gateway_errors;
    one.first_byte = &member->first_byte;
    if (member->host.tls() != nullptr) one.tls = &member->host.tls()->counters();
    one.addresses = member->host.addresses().size();
    one.in_use = one.addresses;
    for (const auto& peer : member->peers) {
      one.connections += peer->pool.connections();
      one.idle_connections += peer->pool.idle_connections();
      if (!peer->gone && peer->health.state() != UpstreamHealth::State::in_use) --one.in_use;
    }
  }
  return reports;
}

}  // namespace reelway::edge
