#pragma once

#include <cstddef>

#include "common/base/result.h"
#include "edge/request/options.h"

namespace reelway::edge {

// How many rings an edge has: what `rings` says, else what its store was made for, else one for each core that this
// process may use and for which there are kMemoryOfRing of store.memory_bytes. Makes the directory and notes the number
// in <store.directory>/rings, for the homes of objects follow from it. Errors: config_value_invalid when `rings` is
// not the store's, or memory is too small for it; io_failed, disk_full. Blocks.
Result<std::size_t> rings_of(const EdgeConfig& config);

inline constexpr std::uint64_t kMemoryOfRing = 32ull << 20;
inline constexpr std::uint64_t kMemoryOfRingMin = 16ull << 20;
inline constexpr std::uint64_t kIndexMemoryOfRingMin = 8ull << 20;

// One ring's part of what the edge may use. Its part of the store lies in ring-<index> of each disk's directory; that
// of a single ring in the directory itself.
EdgeConfig share_of(const EdgeConfig& config, std::size_t index, std::size_t rings);

}  // namespace reelway::edge
