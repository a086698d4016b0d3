#pragma once

#include <string>

#include "common/base/error.h"

namespace reelway::origin {

// What the origin itself has to do for a job now (ingest_run.h); in between, its parts are on the board.
struct JobStep {
  enum class Kind : std::uint8_t { prepare, finish, fail };
  Kind kind = Kind::prepare;
  std::string job;
  Error error;  // of fail
};

}  // namespace reelway::origin
