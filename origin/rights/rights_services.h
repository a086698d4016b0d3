#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/rights/entitlement.h"
#include "origin/catalog/catalog.h"
#include "origin/fleet/signing_keys.h"
#include "origin/rights/account_turns.h"
#include "origin/rights/origin_time.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

struct RightsOptions {
  rights::Terms standard;  // of the offer "standard" while no stored one has that name, and what others start from
  std::int64_t session_renew_s = 60;  // how often a player is told to send a heartbeat
  std::int64_t session_free_after_s = 150;
  std::int64_t token_lifetime_max_s = 86'400;
  std::vector<std::string> public_edges;                      // base URLs without a slash at the end
  hls::Packaging protected_packaging = hls::Packaging::cbcs;  // that play URLs of protected versions name
};

// What decisions about rights work with. All of it is thread-safe and outlives them. Every function of this folder
// that takes it may block.
struct RightsServices {
  ControlStore& store;
  Catalog& catalog;
  SigningKeys& keys;
  const OriginTime& time;
  Random& random;
  AccountTurns& turns;
  RightsOptions options;
  // Base URLs of the edges that may be given to players now; none known: options.public_edges. May be empty.
  std::function<std::vector<std::string>()> healthy_edges;
};

}  // namespace reelway::origin
