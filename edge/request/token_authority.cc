#include "edge/request/token_authority.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

// A token's text is in at most one of three places (and what to_refuse_ holds has none of them):
//
//   remembered_   verified; one not used for long leaves when remembered_max is reached
//   checks_       its signature is being checked; requests with the same text join the one check
//   key_waiters_  its key is not known; it waits for the next poll of the keys and is then decided anew
//
// What is remembered is that the signature was good, not that the token still is: title, times and key state are
// looked at for every request. That costs a map look-up, and makes a retired key's tokens worthless at once.

namespace reelway::edge {
namespace {

Grant grant_of(const access::Token& token) {
  return {token.kid, token.expires_s, token.session, token.entitlement, token.view};
}

Error failures_exceeded() {
  return {ErrorCode::token_failures_exceeded, Side::client, true, {}};
}

Error key_unknown(access::KeyId kid) {
  return {ErrorCode::token_key_unknown, Side::client, false, "key " + std::to_string(kid)};
}

}  // namespace

TokenAuthority::TokenAuthority(ring::Ring& ring, const Clock& clock, ring::SideWorkers& workers,
                               TokenAuthorityOptions options, std::function<std::uint64_t()> poll_keys)
    : ring_(ring),
      clock_(clock),
      workers_(workers),
      options_(options),
      poll_keys_(std::move(poll_keys)),
      remembered_(options.remembered_max),
      budget_(clock, options.failures),
      key_wait_timer_(ring) {}

TokenAuthority::~TokenAuthority() {
  *alive_ = false;
}

std::optional<Result<Grant>> TokenAuthority::decide(std::string_view text, std::string_view title, Waiter& waiter) {
  auto decision = decide_uncounted(text, title, waiter);
  if (decision && !decision->ok()) ++counters_.refused;
  return decision;
}

std::optional<Result<Grant>> TokenAuthority::decide_uncounted(std::string_view text, std::string_view title,
                                                              Waiter& waiter) {
  if (auto decision = decide_remembered(text, title)) return decision;
  const auto address = waiter.client_address();
  if (address && budget_.is_spent(*address) && !checks_.contains(text)) {
    refuse_later(waiter);
    return std::nullopt;
  }
  auto parsed = access::parse_token(text);
  if (!parsed.ok()) return std::move(parsed).error();
  if (auto scope = access::check_scope(parsed->token, title, clock_.wall_s()); !scope.ok()) return scope.error();
  const KeySet::Key* key = keys_.find(parsed->token.kid);
  if (key == nullptr) return wait_for_key(text, title, parsed->token.kid, waiter);
  if (auto state = check_key(parsed->token.kid); !state.ok()) return state.error();
  return check_signature(text, std::move(parsed).value(), *key, waiter);
}

std::optional<Result<Grant>> TokenAuthority::decide_remembered(std::string_view text, std::string_view title) {
  const access::Token* const found = remembered_.find(text);
  if (found == nullptr) return std::nullopt;
  if (auto scope = access::check_scope(*found, title, clock_.wall_s()); !scope.ok()) {
    if (scope.error().code == ErrorCode::token_expired) remembered_.erase(text);
    return scope.error();
  }
  if (auto state = check_key(found->kid); !state.ok()) {
    remembered_.erase(text);
    return state.error();
  }
  ++counters_.remembered;
  return grant_of(*found);
}

Result<void> TokenAuthority::check_key(access::KeyId kid) const {
  const KeySet::Key* key = keys_.find(kid);
  if (key == nullptr) return key_unknown(kid);
  if (key->state == KeyState::active) return {};
  return Error{ErrorCode::token_key_retired, Side::client, false, "key " + std::to_string(kid)};
}

// An address that has sent too many bad signatures is refused; so is one whose checks would fill the queue.
Result<void> TokenAuthority::spend_on_check(const std::optional<ClientAddress>& address) {
  if (!address) return {};
  switch (budget_.begin(*address)) {
    case FailureBudget::Admission::admitted: return {};
    case FailureBudget::Admission::spent: ++counters_.spent; return failures_exceeded();
    case FailureBudget::Admission::busy: break;
  }
  ++counters_.shed;
  return Error{ErrorCode::overloaded, Side::self, true, "too many tokens of this address wait for their check"};
}

std::optional<Result<Grant>> TokenAuthority::check_signature(std::string_view text, access::UnverifiedToken token,
                                                             const KeySet::Key& key, Waiter& waiter) {
  if (const auto running = checks_.find(text); running != checks_.end()) {
    ++counters_.shared;
    running->second.waiters.push_back(&waiter);
    return std::nullopt;
  }
  const auto address = waiter.client_address();
  if (auto spent = spend_on_check(address); !spent.ok()) return spent.error();
  struct Work {
    access::UnverifiedToken token;
    access::PublicKey key;
    Result<void> outcome;
  };
  const std::string text_copy(text);
  const auto work = std::make_shared<Work>(Work{std::move(token), key.public_key, {}});
  const bool taken = workers_.submit([work] { work->outcome = access::verify_signature(work->token, work->key); },
                                     [this, alive = alive_, work, text_copy] {
                                       if (*alive) checked(text_copy, work->outcome);
                                     });
  if (!taken) {
    if (address) budget_.ended(*address, true);
    ++counters_.shed;
    return Error{ErrorCode::overloaded, Side::self, true, "too many tokens wait for their signature check"};
  }
  Check check{std::shared_ptr<const access::UnverifiedToken>(work, &work->token), key.public_key, address, {&waiter}};
  checks_.emplace(text_copy, std::move(check));
  return std::nullopt;
}

// The key may have been retired, or replaced, while the signature was checked.
void TokenAuthority::checked(const std::string& text, const Result<void>& outcome) {
  const auto at = checks_.find(text);
  CHECK(at != checks_.end());
  const Check check = std::move(at->second);
  checks_.erase(at);
  const access::Token& token = check.token->token;
  Result<void> verdict = outcome.ok() ? check_key(token.kid) : outcome;
  if (verdict.ok() && keys_.find(token.kid)->public_key != check.key) verdict = key_unknown(token.kid);
  ++counters_.verified;
  if (check.address) budget_.ended(*check.address, outcome.ok());
  if (check.address && !outcome.ok() && options_.met_bad_signature) options_.met_bad_signature(*check.address);
  if (verdict.ok()) remembered_.add(text, token);
  for (Waiter* waiter : check.waiters) {
    if (waiter == nullptr) continue;
    if (!verdict.ok()) ++counters_.refused;
    waiter->token_decided(verdict.ok() ? Result<Grant>(grant_of(token)) : Result<Grant>(verdict.error()));
  }
}

// The origin may have made the key a moment ago. A bounded number of requests waits for one poll that begins after
// they came; the poller limits how often that can be.
std::optional<Result<Grant>> TokenAuthority::wait_for_key(std::string_view text, std::string_view title,
                                                          access::KeyId kid, Waiter& waiter) {
  if (key_waiters_.size() >= options_.key_waiters_max) {
    ++counters_.key_waits_shed;
    return key_unknown(kid);
  }
  ++counters_.key_waits;
  const auto until = clock_.monotonic() + options_.key_wait_max;
  key_waiters_.push_back({poll_keys_(), std::string(text), std::string(title), until, &waiter});
  if (!key_wait_timer_.armed()) arm_key_wait();
  return std::nullopt;
}

void TokenAuthority::keys_polled(std::uint64_t number) {
  release_key_waiters([number](const KeyWaiter& waiter) { return waiter.poll <= number; });
}

// For whoever came first of those that wait.
void TokenAuthority::arm_key_wait() {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(key_waiters_.front().until - clock_.monotonic());
  key_wait_timer_.arm(std::clamp(left, std::chrono::milliseconds(1), options_.key_wait_max), [this] {
    const auto now = clock_.monotonic();
    release_key_waiters([now](const KeyWaiter& waiter) { return waiter.until <= now; });
  });
}

void TokenAuthority::release_key_waiters(const std::function<bool(const KeyWaiter&)>& is_due) {
  std::vector<KeyWaiter> released;
  for (KeyWaiter& waiter : std::exchange(key_waiters_, {})) {
    (is_due(waiter) ? released : key_waiters_).push_back(std::move(waiter));
  }
  key_wait_timer_.disarm();
  if (!key_waiters_.empty()) arm_key_wait();
  for (const KeyWaiter& waiter : released) {
    const auto parsed = access::parse_token(waiter.text);
    const access::KeyId kid = parsed.ok() ? parsed->token.kid : 0;
    // Still unknown: it has waited for its poll and does not wait again.
    auto decision = keys_.find(kid) == nullptr ? std::optional<Result<Grant>>(key_unknown(kid))
                                               : decide(waiter.text, waiter.title, *waiter.waiter);
    if (decision && keys_.find(kid) == nullptr) ++counters_.refused;
    if (decision) waiter.waiter->token_decided(std::move(*decision));
  }
}

// Not at once: whoever sends junk comes after all who do not, and a flood of it is refused a few at a turn.
void TokenAuthority::refuse_later(Waiter& waiter) {
  ++counters_.spent;
  to_refuse_.push_back(&waiter);
  refuse_soon();
}

void TokenAuthority::refuse_soon() {
  if (to_refuse_.empty() || std::exchange(will_refuse_, true)) return;
  ring_.defer([this, alive = alive_] {
    if (*alive) refuse_some();
  });
}

void TokenAuthority::refuse_some() {
  will_refuse_ = false;
  for (std::size_t left = options_.spent_refusals_a_turn; left > 0 && !to_refuse_.empty(); --left) {
    Waiter& waiter = *to_refuse_.front();
    to_refuse_.pop_front();
    ++counters_.refused;
    waiter.token_decided(failures_exceeded());
  }
  refuse_soon();
}

void TokenAuthority::forget(Waiter& waiter) {
  std::erase(to_refuse_, &waiter);
  std::erase_if(key_waiters_, [&](const KeyWaiter& entry) { return entry.waiter == &waiter; });
  for (auto& [text, check] : checks_) std::erase(check.waiters, &waiter);
}

// Numbers of keys count from 1 at every origin: another origin's key of the same number must not inherit what was
// remembered.
void TokenAuthority::set_keys(KeySet keys) {
  const KeySet former = std::exchange(keys_, std::move(keys));
  const auto is_same = [&](access::KeyId kid) {
    const KeySet::Key* then = former.find(kid);
    return then != nullptr && check_key(kid).ok() && keys_.find(kid)->public_key == then->public_key;
  };
  remembered_.erase_if([&](const access::Token& token) { return !is_same(token.kid); });
}

}  // namespace reelway::edge
