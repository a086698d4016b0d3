#include "edge/store/disk_tier.h"

#include <utility>

#include "common/ring/ring.h"

namespace reelway::edge {

struct DiskTier::State {
  ring::Ring& ring;
};

Result<std::unique_ptr<DiskTier>> DiskTier::open(ring::Ring& ring, const Clock&, MemoryTier&, const DiskTierOptions&) {
  return std::unique_ptr<DiskTier>(new DiskTier(std::unique_ptr<State>(new State{ring})));
}

DiskTier::DiskTier(std::unique_ptr<State> state) : state_(std::move(state)) {}
DiskTier::~DiskTier() = default;

void DiskTier::write(const std::shared_ptr<Object>&) {}

void DiskTier::load(std::shared_ptr<Object>, std::function<void(bool)> done) {
  state_->ring.defer([done = std::move(done)] { done(false); });
}

void DiskTier::touch(std::string_view) {}
void DiskTier::erase(std::string_view) {}
void DiskTier::probe(std::string, std::function<void(std::optional<ObjectMeta>)> done) {
  state_->ring.defer([done = std::move(done)] { done(std::nullopt); });
}
void DiskTier::add_counters(StoreCounters&) const {}
void DiskTier::close(std::function<void()> closed) {
  state_->ring.defer(std::move(closed));
}

}  // namespace reelway::edge
