#pragma once

#include <memory>
#include <string>

#include "common/base/bytes.h"

namespace reelway::origin {

// SHA-256 (FIPS 180-4) of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void add(ByteView bytes);
  std::string finish();  // lower-case hex; once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
