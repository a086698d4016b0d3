#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/access/token.h"
#include "common/base/clock.h"
#include "common/ring/ring.h"
#include "common/ring/side_workers.h"
#include "common/ring/timer.h"
#include "edge/request/failure_budget.h"
#include "edge/request/key_set.h"
#include "edge/request/remembered_tokens.h"

namespace reelway::edge {

// What a verified token grants.
struct Grant {
  access::KeyId kid = 0;
  std::int64_t expires_s = 0;
  access::SessionId session{};
  std::optional<access::EntitlementClaim> entitlement;  // empty: the token itself is the right
  access::View view;
};

struct TokenCounters {
  std::uint64_t remembered = 0;  // answered without a signature check
  std::uint64_t verified = 0;
  std::uint64_t shared = 0;  // waited for another request's check of the same token
  std::uint64_t refused = 0;
  std::uint64_t shed = 0;            // the queue of checks was full
  std::uint64_t spent = 0;           // refused because of their address's earlier bad signatures
  std::uint64_t key_waits_shed = 0;  // refused because too many waited already
  std::uint64_t key_waits = 0;       // waited for a poll of the keys, because the token's key was not known
};

struct TokenAuthorityOptions {
  std::size_t remembered_max = 64 * 1024;  // verified tokens; about 600 bytes each
  std::size_t key_waiters_max = 1024;      // requests that wait for a poll of the keys
  std::chrono::milliseconds key_wait_max{2'000};
  // Refusals of one turn of the ring to addresses whose budget is spent. The others wait for the next turn, so that
  // however many there are at once, good requests are answered in between.
  std::size_t spent_refusals_a_turn = 16;
  FailureBudgetOptions failures = {};
  // Hears of each bad signature, so that other rings charge its address too. Empty: nobody.
  std::function<void(const ClientAddress&)> met_bad_signature = {};
};

// Decides whether a token admits its bearer to a title. The checks in order: whether the token is remembered, whether
// its sender's budget of bad signatures is spent, the token's form, its title and times, its key's state, and its
// signature, which is checked beside the ring. One ring thread.
class TokenAuthority {
 public:
  // Hears of a decision that was not made at once. Call forget() before it is destroyed while it waits.
  class Waiter {
   public:
    virtual void token_decided(Result<Grant> decision) = 0;
    // Asked for only when the token is not remembered. Empty: whom no budget binds (the admin port).
    virtual std::optional<ClientAddress> client_address() const { return std::nullopt; }

   protected:
    ~Waiter() = default;
  };

  // `poll_keys` asks for a poll of the keys that begins after this moment, and returns that poll's number; the end of
  // each poll is told by keys_polled().
  TokenAuthority(ring::Ring& ring, const Clock& clock, ring::SideWorkers& workers, TokenAuthorityOptions options,
                 std::function<std::uint64_t()> poll_keys);
  ~TokenAuthority();

  // The decision, or nothing: then waiter.token_decided() follows, never from inside this call.
  std::optional<Result<Grant>> decide(std::string_view text, std::string_view title, Waiter& waiter);
  void forget(Waiter& waiter);

  // A retired key's tokens are refused from here on, remembered or not.
  void set_keys(KeySet keys);
  const KeySet& keys() const { return keys_; }
  void keys_polled(std::uint64_t number);
  // Another ring has met a bad signature.
  void charge(const ClientAddress& address) { budget_.charge(address); }

  std::size_t remembered() const { return remembered_.size(); }
  const TokenCounters& counters() const { return counters_; }
  const FailureBudget& failures() const { return budget_; }

 private:
  struct Check {  // of one token's signature, under way
    std::shared_ptr<const access::UnverifiedToken> token;
    access::PublicKey key;
    std::optional<ClientAddress> address;  // that pays if the signature is bad
    std::vector<Waiter*> waiters;
  };
  struct KeyWaiter {
    std::uint64_t poll;
    std::string text;
    std::string title;
    Clock::Monotonic until;
    Waiter* waiter;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::optional<Result<Grant>> decide_uncounted(std::string_view text, std::string_view title, Waiter& waiter);
  std::optional<Result<Grant>> decide_remembered(std::string_view text, std::string_view title);
  std::optional<Result<Grant>> check_signature(std::string_view text, access::UnverifiedToken token,
                                               const KeySet::Key& key, Waiter& waiter);
  std::optional<Result<Grant>> wait_for_key(std::string_view text, std::string_view title, access::KeyId kid,
                                            Waiter& waiter);
  Result<void> check_key(access::KeyId kid) const;
  Result<void> spend_on_check(const std::optional<ClientAddress>& address);
  void refuse_later(Waiter& waiter);
  void refuse_some();
  void refuse_soon();
  void checked(const std::string& text, const Result<void>& outcome);
  void release_key_waiters(const std::function<bool(const KeyWaiter&)>& is_due);
  void arm_key_wait();

  ring::Ring& ring_;
  const Clock& clock_;
  ring::SideWorkers& workers_;
  const TokenAuthorityOptions options_;
  const std::function<std::uint64_t()> poll_keys_;
  KeySet keys_;
  RememberedTokens remembered_;
  std::unordered_map<std::string, Check, TextHash, std::equal_to<>> checks_;
  FailureBudget budget_;
  std::deque<Waiter*> to_refuse_;  // one a connection at most, so limits.connections_max bounds it
  bool will_refuse_ = false;       // a deferred call of refuse_some() is to come
  std::vector<KeyWaiter> key_waiters_;
  ring::Timer key_wait_timer_;
  TokenCounters counters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for checks that end after this
};

}  // namespace reelway::edge
