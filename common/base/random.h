#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace reelway {

// Randomness comes in through this seam so that a simulation can be seeded.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  std::uint64_t next_u64();
  std::string hex_id(std::size_t bytes = 16);  // lower-case hex, two digits a byte
};

// The kernel's generator (getrandom): fit for keys and ids. Thread-safe.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace reelway
