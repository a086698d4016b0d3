#pragma once

#include "common/base/result.h"

namespace reelway::origin {

// Lets the calling process, and whatever it executes, make only the system calls that a media tool with threads
// needs; all others fail with EPERM. No sockets, no new processes, no signals to others.
Result<void> install_syscall_filter();

}  // namespace reelway::origin
