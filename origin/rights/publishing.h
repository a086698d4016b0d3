#pragma once

#include <string>

#include "origin/catalog/catalog.h"
#include "origin/rights/rights_services.h"

// What people decide about which version of a title plays, and whether any does. Each decision is one transaction over
// what it was decided on, so of two at once one comes after the other; each may be repeated: what is so already stays
// so, and says that nothing has changed. All of them block.

namespace reelway::origin {

struct PublishDecision {
  std::string title;
  std::string version;  // where it may be left out, each function says what it then is
  std::string by;       // who decides; 1 to 200 bytes
  std::string reason;   // at most 500 bytes
};

struct PublishOutcome {
  TitleRecord title;
  std::string version;   // that was decided about
  bool changed = false;  // false: it was so already
};

// Errors of all: title_not_found, version_not_found, http_bad_request for who or why, and those of the store.

// Publishes a version that is ready: it plays from then on, unless the title is unpublished, which it stays. No
// version: the newest that is ready. version_not_ready.
Result<PublishOutcome> approve_version(const RightsServices& services, const PublishDecision& decision);
// The version, which must be named, will not be published; it counts as failed, and its files go. A reason is required.
// version_not_ready; version_in_use when it has been published.
Result<PublishOutcome> reject_version(const RightsServices& services, const PublishDecision& decision);
// Has this published version play; puts an unpublished title on again. No version: the one that played last.
// approval_needed when it is only ready, version_not_ready, title_not_published.
Result<PublishOutcome> publish_title(const RightsServices& services, const PublishDecision& decision);
// Has an earlier published version play again. No version: the one that played before; after a roll-back, so without
// one it rolls back once. An unpublished title stays so. version_not_ready when there is none, title_not_published.
Result<PublishOutcome> roll_back_title(const RightsServices& services, const PublishDecision& decision);
// Takes the title off, at every edge: no version of it plays, whoever holds a play URL or a rental. A reason is
// required. title_not_published.
Result<PublishOutcome> unpublish_title(const RightsServices& services, const PublishDecision& decision);

}  // namespace reelway::origin
