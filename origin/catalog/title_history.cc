#include "origin/catalog/title_history.h"

#include <algorithm>

namespace reelway::origin {

void note(TitleRecord& title, TitleEvent event) {
  title.history.push_back(std::move(event));
  if (title.history.size() > kTitleEventsMax) title.history.erase(title.history.begin());
}

std::optional<std::string> former_version(const TitleRecord& title, const std::vector<VersionRecord>& versions) {
  const auto is_published = [&](const std::string& name) {
    return std::any_of(versions.begin(), versions.end(), [&](const VersionRecord& version) {
      return version.version == name && version.state == VersionState::published;
    });
  };
  // Only what came before the current one began to play: what was rolled back from since is no way back.
  auto event = title.history.rbegin();
  while (event != title.history.rend() && event->version == title.current_version) ++event;
  for (; event != title.history.rend(); ++event) {
    if (event->version != title.current_version && is_published(event->version)) return event->version;
  }
  const std::uint32_t current = version_number(title.current_version);
  std::optional<std::string> former;
  for (const VersionRecord& version : versions) {
    const std::uint32_t number = version_number(version.version);
    const bool is_later = former && number < version_number(*former);
    if (number < current && !is_later && is_published(version.version)) former = version.version;
  }
  return former;
}

}  // namespace reelway::origin
