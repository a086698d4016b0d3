#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

#include "common/base/error.h"
#include "common/rights/entitlement.h"

// Whether a rental that a token names lets its bearer on, by what the edge knows and how old that is. Pure.

namespace reelway::edge {

struct RentalLimits {
  std::chrono::milliseconds fresh{5'000};                       // up to here the replica is taken to be complete
  std::chrono::milliseconds alarm{15 * 60'000};                 // from here on an operator should look
  std::chrono::milliseconds stale_max{std::chrono::hours(24)};  // from here on nothing is allowed
};

// What is known of the entitlement, and the revision of its last change.
struct KnownRental {
  rights::Record record;
  std::int64_t mod_revision = 0;
};

struct Allow {
  bool unseen = false;  // without a record: on the token's word alone
};
struct AskOrigin {};
using RentalDecision = std::variant<Allow, Error, AskOrigin>;

//   the record says no, and it is as new as the claim or its state is final   that denial, however stale
//   staleness over stale_max, or no copy of the rights at all (no staleness)  rights_too_stale
//   the record lets it play                                                   allow
//   no record, or one older than the claim whose time is over                 fresh: ask the origin
//   (a newer one must be on its way)                                          else: allow, the signed token names it
//
// `claim_revision`: the revision at which the origin saw the entitlement when it made the token.
RentalDecision decide_rental(const std::optional<KnownRental>& known, std::int64_t claim_revision,
                             std::optional<std::chrono::milliseconds> staleness, std::int64_t now_s,
                             const RentalLimits& limits);

// Whether anything of a title may be played, by its mark: nothing when it may. `withdrawn`: it was taken off.
//   withdrawn                                title_not_published, however stale
//   staleness over stale_max, or no copy     rights_too_stale: it may have been taken off since
std::optional<Error> title_denial(bool withdrawn, std::optional<std::chrono::milliseconds> staleness,
                                  const RentalLimits& limits);

}  // namespace reelway::edge
