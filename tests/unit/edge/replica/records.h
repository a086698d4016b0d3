#pragma once

#include <map>
#include <random>
#include <vector>

#include "common/rights/replica_frames.h"

// Records for the tests of the replica, and a model of what a replica should hold.

namespace reelway::edge {

inline rights::EntitlementId entitlement(std::uint32_t number) {
  std::mt19937_64 mix(number);
  rights::EntitlementId id{};
  for (auto& byte : id) byte = static_cast<std::uint8_t>(mix());
  return id;
}

inline rights::Record rental(std::int64_t view_until_s, rights::State state = rights::State::active) {
  rights::Record record;
  record.state = state;
  record.start_by_s = 1;
  record.first_play_s = 1;
  record.view_until_s = view_until_s;
  return record;
}

// Records by id, as an origin holds them.
struct RecordsModel {
  struct Entry {
    rights::Record record;
    rights::Revision mod_revision;
  };
  std::map<rights::EntitlementId, Entry> entries;
  rights::StateDigest digest;

  void put(const rights::EntitlementId& id, const rights::Record& record, rights::Revision revision) {
    erase(id);
    entries[id] = {record, revision};
    digest.add(id, record, revision);
  }
  void erase(const rights::EntitlementId& id) {
    const auto found = entries.find(id);
    if (found == entries.end()) return;
    digest.remove(id, found->second.record, found->second.mod_revision);
    entries.erase(found);
  }
  std::vector<rights::ReplicaRecord> bucket(std::size_t number) const {
    std::vector<rights::ReplicaRecord> records;
    for (const auto& [id, entry] : entries) {
      if (rights::bucket_of(id) == number) records.push_back({id, entry.mod_revision, entry.record});
    }
    return records;
  }
};

}  // namespace reelway::edge
