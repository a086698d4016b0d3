#pragma once

#include <cstdint>
#include <functional>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/client/patience.h"

namespace reelway::origin {

// Where the bytes of one import come from, if any range of them can be asked for. Blocking; thread-safe.
class ImportSource {
 public:
  using Take = std::function<Result<void>(ByteView bytes)>;
  virtual ~ImportSource() = default;
  // Gives a range of the content that the import is of, and no other, in order.
  virtual Result<void> read(std::uint64_t offset, std::uint64_t count, const Take& take, Patience& patience) = 0;
};

}  // namespace reelway::origin
