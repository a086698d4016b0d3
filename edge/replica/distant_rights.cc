#include "edge/replica/distant_rights.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/rights/title_mark.h"

namespace reelway::edge {

Clock::Wall FollowedClock::wall() const {
  if (!ahead_) return local_.wall();
  const auto monotonic = std::chrono::floor<std::chrono::milliseconds>(local_.monotonic().time_since_epoch());
  return Wall(monotonic + *ahead_);
}

DistantRights::DistantRights(const Clock& local, DistantRightsOptions options, Ask ask)
    : clock_(local), options_(options), ask_(std::move(ask)) {}

std::optional<std::chrono::milliseconds> DistantRights::staleness() const {
  if (!verified_) return std::nullopt;
  const auto age = std::chrono::floor<std::chrono::milliseconds>(clock_.monotonic() - *verified_);
  return std::max(age, std::chrono::milliseconds(0));
}

RentalDecision DistantRights::decide_by(const KnownRental& known, const access::EntitlementClaim& claim) const {
  return decide_rental(known, claim.revision, staleness(), clock_.wall_s(), options_.limits);
}

bool DistantRights::is_withdrawn(std::string_view title) const {
  return !withdrawn_->empty() && withdrawn_->contains(rights::title_mark_id(title));
}

Result<void> DistantRights::check_title(std::string_view title) {
  auto denial = title_denial(is_withdrawn(title), staleness(), options_.limits);
  if (!denial) return {};
  return count_decision(counters_, std::move(*denial));
}

std::optional<Result<void>> DistantRights::decide(const access::EntitlementClaim& claim, Waiter& waiter) {
  if (const auto found = kept_.find(claim.id); found != kept_.end()) {
    const RentalDecision decision = decide_by(found->second, claim);
    if (const auto* error = std::get_if<Error>(&decision)) return count_decision(counters_, *error);
    if (std::holds_alternative<Allow>(decision)) return count_decision(counters_, {});
  }
  if (waiting_.size() >= options_.waiters_max) {
    ++counters_.asks_shed;
    return count_decision(counters_, Error{ErrorCode::overloaded, Side::self, true,
                                           std::to_string(options_.waiters_max) + " requests wait for the replica"});
  }
  waiting_.emplace(++tickets_, &waiter);
  ask_(tickets_, claim);
  return std::nullopt;
}

void DistantRights::forget(Waiter& waiter) {
  std::erase_if(waiting_, [&waiter](const auto& waiting) { return waiting.second == &waiter; });
}

bool DistantRights::still_allowed(const access::EntitlementClaim& claim) {
  const auto found = kept_.find(claim.id);
  if (found == kept_.end()) {
    ask_(kNobodyWaits, claim);  // the next look will know
    return true;
  }
  const RentalDecision decision = decide_by(found->second, claim);
  const auto* error = std::get_if<Error>(&decision);
  return error == nullptr || error->code == ErrorCode::rights_too_stale;
}

// The decision is counted where it was made.
void DistantRights::answered(std::uint64_t ticket, const rights::EntitlementId& id, Answer answer) {
  stands(answer.standing);
  if (answer.known) keep(id, *answer.known);
  const auto waiting = waiting_.find(ticket);
  if (waiting == waiting_.end()) return;
  Waiter& waiter = *waiting->second;
  waiting_.erase(waiting);
  waiter.rights_decided(std::move(answer.decision));
}

void DistantRights::changed(std::span<const Change> changes) {
  for (const Change& change : changes) {
    const auto found = kept_.find(change.id);
    if (found == kept_.end()) continue;
    if (change.known) {
      found->second = *change.known;
    } else {
      kept_.erase(found);
    }
  }
}

void DistantRights::stands(const ReplicaStanding& standing) {
  verified_ = standing.verified;
  clock_.follow(standing.wall_less_monotonic);
}

void DistantRights::keep(const rights::EntitlementId& id, const KnownRental& known) {
  if (!kept_.insert_or_assign(id, known).second) return;
  oldest_.push_back(id);
  while (kept_.size() > options_.kept_max || oldest_.size() > 2 * options_.kept_max) {
    kept_.erase(oldest_.front());
    oldest_.pop_front();
  }
}

}  // namespace reelway::edge
