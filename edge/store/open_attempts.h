#pragma once

#include <string>

#include "common/base/result.h"

namespace reelway::edge {

// Counts, in a file, the starts in a row that died while they opened the index. RocksDB meets some kinds of damage
// with an abort instead of an error, and would at every start; after two such deaths the index is better set aside.
// A kill from outside counts too, hence two and not one.
class OpenAttempts {
 public:
  static constexpr unsigned kDeathsMax = 2;

  explicit OpenAttempts(std::string file) : file_(std::move(file)) {}

  // Call before opening; whether too many starts have died here.
  Result<bool> begin();
  // The opening ended, well or with an error.
  void end() const;

 private:
  std::string file_;
};

}  // namespace reelway::edge
