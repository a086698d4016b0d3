#pragma once

#include <optional>
#include <string>
#include <vector>

#include "origin/catalog/records.h"

namespace reelway::origin {

// What is kept about which version of a title plays. Pure.

// Adds what was done; beyond kTitleEventsMax the oldest is forgotten.
void note(TitleRecord& title, TitleEvent event);

// The published version that played before the one that plays now; by their numbers for titles of before a history was
// kept. Nothing when there is none.
std::optional<std::string> former_version(const TitleRecord& title, const std::vector<VersionRecord>& versions);

}  // namespace reelway::origin
