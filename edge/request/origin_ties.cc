#include "edge/request/origin_ties.h"

#include <algorithm>
#include <utility>

#include "edge/request/edge_server.h"

namespace reelway::edge {
namespace {

constexpr std::size_t kFirst = 0;

ReplicaOptions replica_options(const EdgeConfig& config) {
  ReplicaOptions options;
  options.directory = config.store_directory + "/replica";
  options.rights.ask_budget = config.rights_origin_budget;
  options.rights.limits.stale_max = config.rights_staleness_max;
  return options;
}

KeyPollerOptions poller_options(const EdgeConfig& config) {
  KeyPollerOptions options;
  options.interval = config.keys_poll_interval;
  options.interval_min = std::min(options.interval_min, config.keys_poll_interval);
  options.file = config.store_directory + "/keys.json";
  return options;
}

}  // namespace

Result<std::unique_ptr<OriginTies>> OriginTies::open(ring::Ring& ring, const Clock& clock, Random& random,
                                                     const EdgeConfig& config, const RingSeat& seat) {
  std::unique_ptr<Replica> replica;
  if (seat.is_first()) {
    auto opened = Replica::open(ring, clock, random, replica_options(config));
    if (!opened.ok()) return std::move(opened).error();
    replica = std::move(opened).value();
  }
  return std::unique_ptr<OriginTies>(new OriginTies(ring, clock, config, seat, std::move(replica)));
}

OriginTies::OriginTies(ring::Ring& ring, const Clock& clock, const EdgeConfig& config, const RingSeat& seat,
                       std::unique_ptr<Replica> replica)
    : ring_(ring), clock_(clock), seat_(seat), poller_options_(poller_options(config)), replica_(std::move(replica)) {
  if (replica_ == nullptr) {
    DistantRightsOptions options;
    options.limits = replica_options(config).rights.limits;
    distant_ = std::make_unique<DistantRights>(
        clock, options,
        [this](std::uint64_t ticket, const access::EntitlementClaim& claim) { ask_first(ticket, claim); });
  } else if (seat.rings() > 1) {
    source_ = std::make_unique<RightsSource>(ring, clock, *replica_, [this](const auto& task) {
      tell_others([task](OriginTies& other) { task(*other.distant_); });
    });
  }
}

OriginTies::~OriginTies() = default;

RentalRights& OriginTies::rights() {
  if (replica_ != nullptr) return replica_->rights();
  return *distant_;
}

const Clock& OriginTies::clock() const {
  return replica_ != nullptr ? replica_->clock() : distant_->clock();
}

void OriginTies::attach(Surroundings surroundings) {
  around_ = std::make_unique<Surroundings>(std::move(surroundings));
  if (replica_ == nullptr) return;
  poller_options_.request_text = around_->keys_request;
  KeyPoller::Observer& observer = *this;
  poller_ =
      std::make_unique<KeyPoller>(ring_, clock_, around_->file_workers, around_->control, poller_options_, observer);
}

void OriginTies::start() {
  if (replica_ == nullptr) return;
  poller_->start();
  replica_->start(around_->control, around_->request_head);
  if (source_ != nullptr) source_->start();
}

void OriginTies::stop(std::function<void()> done) {
  if (replica_ == nullptr) return ring_.defer(std::move(done));
  if (source_ != nullptr) source_->stop();
  poller_->stop();
  replica_->stop(std::move(done));
}

void OriginTies::tell_others(const std::function<void(OriginTies&)>& task) const {
  seat_.tell_others([task](EdgeServer& server) { task(server.origin()); });
}

void OriginTies::keys_changed(const KeySet& keys) {
  tell_others([keys](OriginTies& other) { other.around_->tokens.set_keys(keys); });
  around_->tokens.set_keys(keys);
}

void OriginTies::keys_polled(std::uint64_t number) {
  std::erase_if(awaited_, [&](const AwaitedPoll& awaited) {
    if (awaited.poll > number) return false;
    seat_.team->post(awaited.ring, [theirs = awaited.number](EdgeServer& server) {
      server.origin().around_->tokens.keys_polled(theirs);
    });
    return true;
  });
  around_->tokens.keys_polled(number);
}

std::uint64_t OriginTies::poll_keys() {
  if (poller_ != nullptr) return poller_->poll_soon();
  seat_.team->post(kFirst, [ring = seat_.index, number = ++polls_asked_](EdgeServer& server) {
    OriginTies& first = server.origin();
    first.awaited_.push_back({ring, number, first.poller_->poll_soon()});
  });
  return polls_asked_;
}

void OriginTies::ask_first(std::uint64_t ticket, const access::EntitlementClaim& claim) const {
  seat_.team->post(
      kFirst, [ring = seat_.index, ticket, claim](EdgeServer& server) { server.origin().answer(ring, ticket, claim); });
}

void OriginTies::answer(std::size_t ring, std::uint64_t ticket, const access::EntitlementClaim& claim) {
  source_->ask(claim, [team = seat_.team, ring, ticket, id = claim.id](const DistantRights::Answer& answer) {
    team->post(ring,
               [ticket, id, answer](EdgeServer& server) { server.origin().distant_->answered(ticket, id, answer); });
  });
}

}  // namespace reelway::edge
