#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace reelway::origin {

struct SandboxOptions {
  bool required = true;         // false: media tools run with the origin's own rights
  std::string confine_program;  // empty: reelway-confine beside this program
  std::uint64_t memory_bytes = 2ull << 30;
};

// The path of reelway-confine in the folder of the running program.
std::string default_confine_program();

// Whether this machine can confine media tools: runs `reelway-confine --check`. sandbox_unavailable says which part
// is missing. The origin calls this at start when transcode.sandbox is "required".
Result<void> check_sandbox(const SandboxOptions& options);

}  // namespace reelway::origin
