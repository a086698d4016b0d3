#include "edge/replica/rights.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/rights/title_mark.h"
#include "edge/replica/records_answer.h"

// A question about an entitlement is in asks_ from the first request that needs it until the origin has answered or
// failed. It waits in queue_ until one of the few calls is free. Its askers leave with the answer, when their budget
// passes, or by forget(); a question without askers stays if it is on the wire, so that its answer is there for the
// viewer's next try.

namespace reelway::edge {
namespace {

Error overloaded(std::string detail) {
  return {ErrorCode::overloaded, Side::self, true, std::move(detail)};
}

// What a viewer hears of a question that failed: how it failed is the operator's.
Error not_said(const Error& why) {
  const bool tells_viewer =
      why.code == ErrorCode::timed_out || why.code == ErrorCode::overloaded || why.code == ErrorCode::shutting_down;
  return {tells_viewer ? why.code : ErrorCode::upstream_failed, why.side, true,
          "the origin did not say whether the rental holds: " + std::string(why.info().name)};
}

}  // namespace

Rights::Rights(ring::Ring& ring, const Clock& clock, const ReplicaCopy& copy, RightsOptions options)
    : ring_(ring), clock_(clock), copy_(copy), options_(options), overlay_(options.overlay_max), budget_timer_(ring) {}

Rights::~Rights() {
  *alive_ = false;
  for (auto& [id, ask] : asks_) {
    if (ask.call) ask.call->abandon();
  }
}

void Rights::start(Upstream& upstream, RequestHead request_head) {
  upstream_ = &upstream;
  request_head_ = std::move(request_head);
}

void Rights::stop() {
  upstream_ = nullptr;
  queue_.clear();
  std::vector<rights::EntitlementId> all;
  for (auto& [id, ask] : asks_) {
    if (ask.call) ask.call->abandon();
    all.push_back(id);
  }
  calls_ = 0;
  for (const auto& id : all) failed(id, {ErrorCode::shutting_down, Side::self, true, {}});
}

std::optional<Result<void>> Rights::decide(const access::EntitlementClaim& claim, Waiter& waiter) {
  const RentalDecision decision = decide_from_memory(claim);
  if (std::holds_alternative<AskOrigin>(decision)) {
    // A kept record did not settle it: it is older than the claim, too. A kept "there is none" does.
    const OverlayEntry* kept = find_kept(claim.id);
    if (kept == nullptr || kept->known) return ask(claim, waiter);
    ++counters_.kept_unknown;
    return count_decision(counters_, decide_answered(claim, *kept));
  }
  if (const auto* error = std::get_if<Error>(&decision)) return count_decision(counters_, *error);
  if (std::get<Allow>(decision).unseen) ++counters_.allowed_unseen;
  return count_decision(counters_, {});
}

const OverlayEntry* Rights::find_kept(const rights::EntitlementId& id) const {
  if (overlay_cluster_ != copy_.cluster_changes) return nullptr;
  return overlay_.find(id, copy_.position, clock_.monotonic());
}

// By the newest that is known: the replica's record, or the origin's own word if that is newer.
RentalDecision Rights::decide_from_memory(const access::EntitlementClaim& claim) const {
  std::optional<KnownRental> known;
  if (const ReplicaTable::Entry* entry = copy_.table->find(claim.id)) known = {entry->record, entry->mod_revision};
  if (overlay_.size() > 0) {
    const OverlayEntry* kept = find_kept(claim.id);
    const bool is_newer = kept != nullptr && kept->known && (!known || kept->known->mod_revision > known->mod_revision);
    if (is_newer) known = kept->known;
  }
  return decide_rental(known, claim.revision, copy_.staleness(clock_.monotonic()), clock_.wall_s(), options_.limits);
}

bool Rights::still_allowed(const access::EntitlementClaim& claim) {
  const RentalDecision decision = decide_from_memory(claim);
  const auto* error = std::get_if<Error>(&decision);
  return error == nullptr || error->code == ErrorCode::rights_too_stale;
}

bool Rights::is_withdrawn(std::string_view title) const {
  const WithdrawnTitles& withdrawn = copy_.table->withdrawn();
  return !withdrawn.empty() && withdrawn.contains(rights::title_mark_id(title));
}

Result<void> Rights::check_title(std::string_view title) {
  auto denial = title_denial(is_withdrawn(title), copy_.staleness(clock_.monotonic()), options_.limits);
  if (!denial) return {};
  return count_decision(counters_, std::move(*denial));
}

std::optional<Result<void>> Rights::ask(const access::EntitlementClaim& claim, Waiter& waiter) {
  if (upstream_ == nullptr)
    return count_decision(counters_, not_said({ErrorCode::shutting_down, Side::self, true, {}}));
  const bool is_asked = asks_.contains(claim.id);
  const bool no_room_to_wait = waiters_ >= options_.waiters_max;
  if (no_room_to_wait || (!is_asked && asks_.size() >= options_.asks_max)) {
    ++counters_.asks_shed;
    return count_decision(
        counters_,
        overloaded(no_room_to_wait ? std::to_string(options_.waiters_max) + " requests wait for the origin's word"
                                   : "the origin is asked about " + std::to_string(options_.asks_max) + " rentals"));
  }
  Ask& ask = asks_[claim.id];
  const Clock::Monotonic until = clock_.monotonic() + options_.ask_budget;
  ask.askers.push_back({claim, until, &waiter});
  ++waiters_;
  if (!budget_timer_.armed()) arm_budget(until);
  if (is_asked) {
    ++counters_.asks_shared;
  } else {
    queue_.push_back(claim.id);
    begin_calls();
  }
  return std::nullopt;
}

void Rights::begin_calls() {
  while (upstream_ != nullptr && calls_ < options_.ask_calls_max && !queue_.empty()) {
    const rights::EntitlementId id = queue_.front();
    queue_.pop_front();
    const auto found = asks_.find(id);
    if (found != asks_.end()) begin_call(id, found->second);
  }
}

void Rights::begin_call(const rights::EntitlementId& id, Ask& ask) {
  struct Answer {
    std::optional<KnownRental> known;
    bool whole = false;
    RecordsAnswer frames;
  };
  const auto answer = std::make_shared<Answer>(Answer{{}, false, RecordsAnswer{nullptr}});
  Answer* const into = answer.get();
  answer->frames = RecordsAnswer([into, id](const rights::ReplicaRecord& record) -> Result<void> {
    if (into->known || record.id != id) {
      return Error{ErrorCode::replica_malformed, Side::upstream, true, "another entitlement than the asked one"};
    }
    into->known = KnownRental{record.record, record.mod_revision};
    return {};
  });
  ++counters_.asks;
  ++calls_;
  ask.call = FrameCall::begin(
      ring_, *upstream_, request_head_("GET", "/.reelway/v1/entitlement?id=" + rights::id_text(id)),
      [this, alive = alive_, answer, id](const rights::Frame& frame) {
        if (!*alive) return;
        const auto whole = answer->frames.frame(frame);
        answer->whole = whole.ok() && *whole;
        if (whole.ok()) return;
        abandon_call(id);
        failed(id, whole.error());
      },
      [this, alive = alive_, answer, id](const Result<void>& outcome) {
        if (!*alive) return;
        --calls_;
        const Error cut{ErrorCode::upstream_truncated, Side::upstream, true, "the answer has no END"};
        if (outcome.ok() && answer->whole) {
          answered(id, {answer->known, clock_.monotonic() + options_.unknown_kept});
        } else {
          failed(id, outcome.ok() ? cut : outcome.error());
        }
      });
}

void Rights::abandon_call(const rights::EntitlementId& id) {
  const auto found = asks_.find(id);
  if (found == asks_.end() || !found->second.call) return;
  found->second.call->abandon();
  --calls_;
}

void Rights::answered(const rights::EntitlementId& id, const OverlayEntry& answer) {
  if (std::exchange(overlay_cluster_, copy_.cluster_changes) != copy_.cluster_changes) overlay_.clear();
  if (overlay_.size() >= options_.overlay_max / 2) overlay_.drop_reached(copy_.position, clock_.monotonic());
  overlay_.put(id, answer);
  release(id, [this, &answer](const Asker& asker) { return decide_answered(asker.claim, answer); });
}

void Rights::failed(const rights::EntitlementId& id, const Error& error) {
  ++counters_.asks_failed;
  release(id, [&error](const Asker&) -> Result<void> { return not_said(error); });
}

// The origin's own answer is as fresh as can be, so time and state decide, and nothing is left to ask.
Result<void> Rights::decide_answered(const access::EntitlementClaim& claim, const OverlayEntry& answer) const {
  const RentalDecision decision =
      decide_rental(answer.known, claim.revision, std::chrono::milliseconds(0), clock_.wall_s(), options_.limits);
  if (const auto* error = std::get_if<Error>(&decision)) return *error;
  if (std::holds_alternative<Allow>(decision)) return {};
  return Error{ErrorCode::rental_unknown, Side::client, true, "the origin does not know it"};
}

void Rights::release(const rights::EntitlementId& id, const Decide& decision) {
  const auto found = asks_.find(id);
  if (found != asks_.end()) {
    const std::vector<Asker> askers = std::move(found->second.askers);
    asks_.erase(found);
    tell(askers, decision);
  }
  begin_calls();
}

// What a waiter does when it is told may end another one: forget() looks through telling_ too.
void Rights::tell(const std::vector<Asker>& askers, const Decide& decision) {
  waiters_ -= askers.size();
  for (const Asker& asker : askers) telling_.push_back({asker.waiter, count_decision(counters_, decision(asker))});
  while (!telling_.empty()) {
    Telling next = std::move(telling_.front());
    telling_.pop_front();
    next.waiter->rights_decided(std::move(next.decision));
  }
}

void Rights::release_late() {
  const Clock::Monotonic now = clock_.monotonic();
  std::vector<Asker> late;
  std::optional<Clock::Monotonic> next;
  for (auto& [id, ask] : asks_) {
    std::erase_if(ask.askers, [&](const Asker& asker) {
      if (asker.until <= now) late.push_back(asker);
      return asker.until <= now;
    });
    for (const Asker& asker : ask.askers) next = next ? std::min(*next, asker.until) : asker.until;
  }
  // Nobody waits any more for what is not yet on the wire.
  std::erase_if(queue_, [this](const rights::EntitlementId& id) {
    const auto found = asks_.find(id);
    if (found == asks_.end() || !found->second.askers.empty()) return false;
    asks_.erase(found);
    return true;
  });
  if (next) arm_budget(*next);
  counters_.asks_late += late.size();
  const Error error{
      ErrorCode::timed_out, Side::upstream, true,
      "the origin did not say whether the rental holds within " + std::to_string(options_.ask_budget.count()) + " ms"};
  tell(late, [&error](const Asker&) -> Result<void> { return error; });
}

void Rights::arm_budget(Clock::Monotonic until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.monotonic());
  budget_timer_.arm(std::max(left, std::chrono::milliseconds(1)), [this] { release_late(); });
}

void Rights::forget(Waiter& waiter) {
  const auto is_it = [&waiter](const auto& waiting) { return waiting.waiter == &waiter; };
  for (auto& [id, ask] : asks_) waiters_ -= std::erase_if(ask.askers, is_it);
  std::erase_if(telling_, is_it);
}

}  // namespace reelway::edge
