#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

#include "common/base/clock.h"
#include "edge/net/client_address.h"

namespace reelway::edge {

struct FailureBudgetOptions {
  std::uint32_t burst = 20;  // bad signatures at once
  double per_second = 1;     // given back
  // Checks of one address under way. So one address never fills the queue of checks before its first one has failed.
  std::uint32_t checks_max = 256;
  std::size_t addresses_max = 65'536;  // beyond it the one seen longest ago is forgotten; about 150 bytes each
};

// How many bad signatures each client address may still cause: one check costs as much as a hundred hits, so whoever
// only sends junk is refused before it. A good signature costs its address nothing. IPv6 addresses count by /64, which
// is what one customer commonly holds. One ring thread.
class FailureBudget {
 public:
  FailureBudget(const Clock& clock, FailureBudgetOptions options) : clock_(clock), options_(options) {}

  enum class Admission : std::uint8_t { admitted, spent, busy };
  // Before a check. After `admitted`, ended() must follow.
  Admission begin(const ClientAddress& address);
  void ended(const ClientAddress& address, bool good);
  void charge(const ClientAddress& address);  // a bad one that was met elsewhere
  // Whether begin() would say `spent`. An address that never began is not: asking leaves no account behind.
  bool is_spent(const ClientAddress& address);

  std::size_t addresses() const { return recent_.size(); }
  std::uint64_t forgotten() const { return forgotten_; }

 private:
  struct Account {
    ClientAddress address;
    double left;
    Clock::Monotonic filled;
    std::uint32_t checks = 0;
  };
  using Recent = std::list<Account>;  // the most recently seen first

  Account* find(const ClientAddress& counted);
  Account& account(const ClientAddress& address);
  void refill(Account& account) const;

  const Clock& clock_;
  const FailureBudgetOptions options_;
  Recent recent_;
  std::uint64_t forgotten_ = 0;
  std::unordered_map<ClientAddress, Recent::iterator, ClientAddressHash> by_address_;
};

}  // namespace reelway::edge
