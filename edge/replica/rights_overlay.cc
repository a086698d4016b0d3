#include "edge/replica/rights_overlay.h"

namespace reelway::edge {
namespace {

bool counts(const OverlayEntry& entry, rights::Revision position, Clock::Monotonic now) {
  return entry.known ? entry.known->mod_revision > position : now < entry.until;
}

}  // namespace

const OverlayEntry* RightsOverlay::find(const rights::EntitlementId& id, rights::Revision position,
                                        Clock::Monotonic now) const {
  const auto found = entries_.find(id);
  return found != entries_.end() && counts(found->second.entry, position, now) ? &found->second.entry : nullptr;
}

void RightsOverlay::put(const rights::EntitlementId& id, OverlayEntry entry) {
  entries_[id] = {std::move(entry), ++puts_};
  order_.push_back({id, puts_});
  // The order, too, is bounded: it drops one entry for each put above the limit, of whatever kind.
  while (order_.size() > entries_max_) {
    const Put oldest = order_.front();
    order_.pop_front();
    const auto found = entries_.find(oldest.id);
    if (found != entries_.end() && found->second.number == oldest.number) entries_.erase(found);
  }
}

void RightsOverlay::drop_reached(rights::Revision position, Clock::Monotonic now) {
  std::erase_if(entries_, [&](const auto& item) { return !counts(item.second.entry, position, now); });
  std::erase_if(order_, [this](const Put& put) {
    const auto found = entries_.find(put.id);
    return found == entries_.end() || found->second.number != put.number;
  });
}

void RightsOverlay::clear() {
  entries_.clear();
  order_.clear();
}

}  // namespace reelway::edge
