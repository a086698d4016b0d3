#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "origin/rights/decide.h"
#include "origin/rights/records.h"
#include "origin/rights/rights_services.h"

namespace reelway::origin {

inline constexpr std::size_t kEntitlementsListedMax = 10'000;  // of one account

// The account's newest entitlement of a title, read together with what says that it is. Adds the compares.
Result<Found<EntitlementRecord>> find_newest(ControlStore& store, std::string_view account, std::string_view title,
                                             std::vector<Compare>& compares);

// As the API answers it: all fields, and where it stands at `now_s`: "unstarted", "started" or "ended:<error code>".
nlohmann::json entitlement_object(const EntitlementRecord& entitlement, std::int64_t now_s);

// account_id_invalid.
Result<void> check_account(std::string_view account);

// entitlement_not_found.
Result<nlohmann::json> show_entitlement(const RightsServices& services, std::string_view id);
// {account, entitlements: of each title the newest, sessions: that play now}. account_not_found when it has ordered
// nothing.
Result<nlohmann::json> list_entitlements(const RightsServices& services, std::string_view account);

struct Revocation {
  std::string id;
  rights::State state = rights::State::revoked;  // not active
  std::string reason;
};
// Ends it for good and frees its streams, in one transaction: when this returns, the store has it on disk. One that
// has been ended stays as it is. Answers as show_entitlement(), with "already_ended". entitlement_not_found.
Result<nlohmann::json> revoke_entitlement(const RightsServices& services, const Revocation& revocation);

}  // namespace reelway::origin
