#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

// Reading much without being in the way of viewers.

namespace reelway::origin {

// Lets the calling thread's reads wait for everybody else's (ioprio_set(2), class idle).
void yield_the_disk();

// Gives the bytes of a file from `offset` to its end, in pieces of at most 1 MiB, as they are on the disk: past the
// page cache (O_DIRECT), so that rot beneath a page in memory is seen, and so that no page of a viewer is driven out.
// Where the file system has no such reads they go through the page cache, and pages that were not in memory before
// leave it again. A link is not followed. Blocking. not_found_on_disk, io_failed, and what `use` said.
Result<void> read_quietly(const std::string& path, std::uint64_t offset,
                          const std::function<Result<void>(ByteView)>& use);

}  // namespace reelway::origin
