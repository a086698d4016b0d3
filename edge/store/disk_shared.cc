#include "edge/store/disk_shared.h"

#include <memory>
#include <string>
#include <utility>

namespace reelway::edge {

void DiskShared::remove(std::string_view key) {
  auto place = index.remove(key);
  if (!place) return;
  const bool is_inline = place->is_inline();
  // The closure holds the place, and the gate, until RocksDB has the removal.
  auto pass = std::make_shared<Gate::Pass>(gate.enter());
  journal.remove(std::string(key), is_inline, [place = std::move(place), pass = std::move(pass)] {});
}

}  // namespace reelway::edge
