#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "origin/rights/rights_services.h"

namespace reelway::origin {

struct ProtectionChange {
  std::string title;
  std::string version;  // empty: the one that plays
  bool is_protected = false;
};
struct ProtectionOutcome {
  std::string version;
  bool changed = false;
};

// What a version is handed out as from here on, in one transaction: only encrypted, or only in the clear. Of versions
// that are published or ready. title_not_found, title_not_published, version_not_found, version_not_ready.
Result<ProtectionOutcome> set_protection(const RightsServices& services, const ProtectionChange& change);

// The folder of the packaging that a play URL of this version names: `asked`, or what the options say for protected
// versions, or none. A protected version has no clips: whoever saw one could open the film. http_bad_request when no
// packaging is called so, packaging_not_offered.
Result<std::string> play_folder(const RightsServices& services, const std::string& title, const std::string& version,
                                const std::optional<std::string>& asked, bool is_clip = false);

}  // namespace reelway::origin
