#include "edge/replica/rights_source.h"

#include <utility>

namespace reelway::edge {

class RightsSource::Question final : public RentalRights::Waiter {
 public:
  Question(RightsSource& source, const rights::EntitlementId& the_id, Reply the_reply)
      : id(the_id), reply(std::move(the_reply)), source_(source) {}
  void rights_decided(Result<void> decision) override { source_.answer(*this, std::move(decision)); }

  const rights::EntitlementId id;
  const Reply reply;

 private:
  RightsSource& source_;
};

RightsSource::RightsSource(ring::Ring& ring, const Clock& clock, Replica& replica, Tell tell)
    : ring_(ring), clock_(clock), replica_(replica), tell_(std::move(tell)), timer_(ring) {
  replica_.observe(*this);
}

RightsSource::~RightsSource() {
  *alive_ = false;
  for (auto& [question, owned] : questions_) replica_.rights().forget(*owned);
}

void RightsSource::ask(const access::EntitlementClaim& claim, Reply reply) {
  auto question = std::make_unique<Question>(*this, claim.id, std::move(reply));
  if (auto decision = replica_.rights().decide(claim, *question)) {
    return question->reply({std::move(*decision), known(claim.id), standing()});
  }
  const Question* const asked = question.get();
  questions_.emplace(asked, std::move(question));
}

void RightsSource::answer(const Question& question, Result<void> decision) {
  const auto owned = questions_.extract(&question);
  question.reply({std::move(decision), known(question.id), standing()});
}

std::optional<KnownRental> RightsSource::known(const rights::EntitlementId& id) const {
  const ReplicaTable::Entry* const entry = replica_.copy().table->find(id);
  return entry == nullptr ? std::nullopt : std::optional(KnownRental{entry->record, entry->mod_revision});
}

ReplicaStanding RightsSource::standing() const {
  const auto monotonic = std::chrono::floor<std::chrono::milliseconds>(clock_.monotonic().time_since_epoch());
  return {replica_.copy().verified, std::chrono::milliseconds(replica_.clock().wall_ms()) - monotonic};
}

// One message for all of a frame's changes.
void RightsSource::rental_changed(const rights::EntitlementId& id) {
  if (changed_.empty()) {
    ring_.defer([this, alive = alive_] {
      if (*alive) tell_changes();
    });
  }
  changed_.push_back(id);
}

void RightsSource::tell_changes() {
  std::vector<DistantRights::Change> changes;
  changes.reserve(changed_.size());
  for (const rights::EntitlementId& id : changed_) changes.push_back({id, known(id)});
  changed_.clear();
  tell_([changes = std::move(changes)](DistantRights& distant) { distant.changed(changes); });
  if (replica_.copy().table->withdrawals() != told_withdrawals_) tell_withdrawn();
}

void RightsSource::rentals_replaced() {
  tell_([](DistantRights& distant) { distant.replaced(); });
  tell_withdrawn();
}

// All of them each time: it is seldom, and there are few.
void RightsSource::tell_withdrawn() {
  told_withdrawals_ = replica_.copy().table->withdrawals();
  auto titles = std::make_shared<const WithdrawnTitles>(replica_.copy().table->withdrawn());
  tell_([titles = std::move(titles)](DistantRights& distant) { distant.withdrew(titles); });
}

void RightsSource::tell_standing() {
  tell_([standing = standing()](DistantRights& distant) { distant.stands(standing); });
  timer_.arm(kTellPeriod, [this] { tell_standing(); });
}

}  // namespace reelway::edge
