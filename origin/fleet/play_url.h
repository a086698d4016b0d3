#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/fleet/signing_keys.h"

namespace reelway::origin {

inline constexpr std::int64_t kTokenLifetimeSecondsMax = 30LL * 24 * 3600;

struct PlayUrlRequest {
  std::string title;
  std::string version;
  std::string folder;  // of the packaging, without slashes; empty for the clear one
  std::int64_t lifetime_s = 0;
  std::optional<std::int64_t> not_before_s;  // absent: usable at once
  std::vector<std::string> edges;            // base URLs, without a slash at the end
  // Of a play URL that an entitlement stands behind; without them the token itself is the right to all of the title.
  std::optional<access::EntitlementClaim> entitlement;
  access::View view;
  std::optional<access::SessionId> session;  // absent: a new one
  std::optional<std::int64_t> expires_s;     // instead of lifetime_s
};

struct PlayUrl {
  std::vector<std::string> urls;  // one an edge, in the order given
  std::string path;               // "/t/<token>/<title>/<version>/[<clip>/][<packaging>/]master.m3u8"
  std::string token;
  access::KeyId kid = 0;
  std::int64_t not_before_s = 0;
  std::int64_t expires_s = 0;
};

// http_bad_request when the lifetime or the start is out of range. Times are the clock's.
Result<PlayUrl> issue_play_url(const PlayUrlRequest& request, const SigningKeys& keys, const Clock& clock,
                               Random& random);

// "http://host[:port]" or https, nothing after it but one optional slash, which is taken off.
std::optional<std::string> edge_base_url(std::string_view text);

}  // namespace reelway::origin
