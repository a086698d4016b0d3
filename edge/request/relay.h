#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/access/token.h"
#include "common/base/result.h"
#include "edge/net/upstream.h"

namespace reelway::edge {

// A whole small answer of the origin, passed on as it is.
struct RelayedAnswer {
  std::uint16_t status = 0;
  std::string content_type;
  std::string body;
};

struct RelayCounters {
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;  // no whole answer came
  std::uint64_t refused = 0;   // kCallsMax was reached, or the session's call before is under way
};

// Carries viewers' calls that only the origin can answer (heartbeats of a session) and never stores an answer. A call
// goes on to its end when its viewer leaves: a heartbeat that was sent counts. One ring thread.
class Relay {
 public:
  static constexpr std::size_t kCallsMax = 512;
  static constexpr std::size_t kAnswerBytesMax = 16 * 1024;

  class Waiter {
   public:
    virtual void relayed(Result<RelayedAnswer> answer) = 0;

   protected:
    ~Waiter() = default;
  };

  explicit Relay(Upstream& upstream);
  ~Relay();

  // `request_text` is a whole request without a body. A session has one call under way at most, so that one viewer
  // cannot take the place of all. An Error when the call failed at once (overloaded, or what the pool says); else
  // waiter.relayed() follows, never from inside this call, unless forget() comes first.
  Result<void> begin(const access::SessionId& session, std::string request_text, Waiter& waiter);
  void forget(Waiter& waiter);

  std::size_t running() const { return calls_.size(); }
  const RelayCounters& counters() const { return counters_; }

 private:
  class Call;
  void end(Call& call, Result<RelayedAnswer> answer);

  Upstream& upstream_;
  std::unordered_map<const Call*, std::unique_ptr<Call>> calls_;
  std::unordered_map<const Waiter*, Call*> by_waiter_;
  std::set<access::SessionId> sessions_;  // of calls_
  RelayCounters counters_;
};

}  // namespace reelway::edge
