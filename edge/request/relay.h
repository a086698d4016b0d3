#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/result.h"
#include "edge/net/upstream_pool.h"

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
  std::uint64_t refused = 0;   // kCallsMax was reached
};

// Carries viewers' calls that only the origin can answer (heartbeats of a session) and never stores an answer. A call
// goes on to its end when its viewer leaves: a heartbeat that was sent counts. One ring thread.
class Relay {
 public:
  static constexpr std::size_t kCallsMax = 1024;
  static constexpr std::size_t kAnswerBytesMax = 16 * 1024;

  class Waiter {
   public:
    virtual void relayed(Result<RelayedAnswer> answer) = 0;

   protected:
    ~Waiter() = default;
  };

  explicit Relay(UpstreamPool& pool);
  ~Relay();

  // `request_text` is a whole request without a body. An Error when the call failed at once (overloaded, or what the
  // pool says); else waiter.relayed() follows, never from inside this call, unless forget() comes first.
  Result<void> begin(std::string request_text, Waiter& waiter);
  void forget(Waiter& waiter);

  std::size_t running() const { return calls_.size(); }
  const RelayCounters& counters() const { return counters_; }

 private:
  class Call;
  void end(Call& call, Result<RelayedAnswer> answer);

  UpstreamPool& pool_;
  std::unordered_map<const Call*, std::unique_ptr<Call>> calls_;
  std::unordered_map<const Waiter*, Call*> by_waiter_;
  RelayCounters counters_;
};

}  // namespace reelway::edge
