#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace reelway::origin {

// What a confined program may have. Zero: no limit of that kind.
struct ConfineRequest {
  std::string job_folder;               // read and write, nothing executable
  std::vector<std::string> read_paths;  // files, or folders with all that is below
  std::uint64_t memory_bytes = 0;
  std::uint64_t cpu_seconds = 0;
  std::uint64_t file_bytes = 0;      // of one file
  pid_t parent = 0;                  // whose death ends the program
  std::vector<std::string> command;  // program (absolute path) and arguments
};

// Shuts the calling process in, step by step; afterwards it can only get narrower. It keeps: standard error and
// output, the folders of shared libraries, its inputs, its job folder, and threads of its own. It loses: network,
// other files, capabilities, other processes, and every system call that is not on the list of syscall_filter.h.
// sandbox_unavailable names the step that this machine does not offer. One thread only.
Result<void> confine(const ConfineRequest& request);

// confine() and then the program. Returns only when that failed.
Error confine_and_execute(const ConfineRequest& request);

}  // namespace reelway::origin
