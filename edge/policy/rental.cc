#include "edge/policy/rental.h"

#include <string>

namespace reelway::edge {
namespace {

Error too_stale(std::optional<std::chrono::milliseconds> staleness) {
  std::string detail = "this edge has no copy of the rentals yet";
  if (staleness) detail = "last heard " + std::to_string(staleness->count() / 1000) + " s ago";
  return {ErrorCode::rights_too_stale, Side::self, true, std::move(detail)};
}

}  // namespace

RentalDecision decide_rental(const std::optional<KnownRental>& known, std::int64_t claim_revision,
                             std::optional<std::chrono::milliseconds> staleness, std::int64_t now_s,
                             const RentalLimits& limits) {
  std::optional<Error> denied;
  if (known) denied = rights::denial(known->record, now_s);
  // A time can be moved by a later change (a rental is bought, its clock is started), a final state cannot.
  const bool is_final = known && known->record.state != rights::State::active;
  const bool is_current = known && known->mod_revision >= claim_revision;
  if (denied && (is_final || is_current)) return std::move(*denied);
  if (!staleness || *staleness > limits.stale_max) return too_stale(staleness);
  if (known && !denied) return Allow{};
  if (*staleness <= limits.fresh) return AskOrigin{};
  return Allow{.unseen = true};
}

std::optional<Error> title_denial(bool withdrawn, std::optional<std::chrono::milliseconds> staleness,
                                  const RentalLimits& limits) {
  if (withdrawn) return Error{ErrorCode::title_not_published, Side::client, false, "it has been taken off"};
  if (!staleness || *staleness > limits.stale_max) return too_stale(staleness);
  return std::nullopt;
}

}  // namespace reelway::edge
