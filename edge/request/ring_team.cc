#include "edge/request/ring_team.h"

#include <utility>

#include "common/base/bytes.h"
#include "common/base/crc32c.h"

namespace reelway::edge {

std::size_t RingTeam::home_of(std::string_view key) const {
  return crc32c(as_bytes(key)) % members_.size();
}

void RingTeam::post(std::size_t index, std::function<void(EdgeServer&)> task) const {
  const Member& member = members_[index];
  member.ring->post([server = member.server, task = std::move(task)] { task(*server); });
}

void RingSeat::tell_others(const std::function<void(EdgeServer&)>& task) const {
  for (std::size_t ring = 0; ring < rings(); ++ring) {
    if (ring != index) team->post(ring, task);
  }
}

void RingSeat::at_home_of(std::string_view key, EdgeServer& here, std::function<void(EdgeServer&)> task) const {
  if (is_home_of(key)) return task(here);
  team->post(team->home_of(key), std::move(task));
}

}  // namespace reelway::edge
