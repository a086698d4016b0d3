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

void DiskShared::freshen(std::string_view key, const StoredPlace& place, ObjectMeta meta) {
  RecordIndex::Change change;
  change.key = key;
  change.freshened.emplace(RecordIndex::Freshened{place.sequence(), std::move(meta)});
  auto pass = std::make_shared<Gate::Pass>(gate.enter());
  if (!*pass) return;
  journal.freshen(std::move(change), [this, key = std::string(key), sequence = place.sequence(),
                                      pass = std::move(pass)](std::int64_t growth) {
    const auto now = index.find(key);
    if (now && now->sequence() == sequence && now->is_inline()) index.resize(key, growth);
  });
}

}  // namespace reelway::edge
