#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "common/base/clock.h"

namespace reelway::edge {

// Whether a disk is still worth asking. Single failures are part of a disk's life; one that fails again and again only
// costs each request its time, and is given up until the next start.
class DiskHealth {
 public:
  static constexpr int kFailuresInRow = 16;
  static constexpr int kFailuresInWindow = 256;
  static constexpr std::chrono::seconds kWindow{60};

  // `given_up(reason)` is called once, from within failed().
  DiskHealth(const Clock& clock, std::function<void(std::string_view reason)> given_up)
      : clock_(clock), given_up_(std::move(given_up)) {}

  // Bodies and index are counted apart: the index may do well, from the page cache, on a disk that reads nothing.
  enum class Part : std::uint8_t { bodies, index };
  void succeeded(Part part) { in_row_[static_cast<std::size_t>(part)] = 0; }
  // `error`: an errno. A disk that has become read-only or is gone is given up at once; a full one is not: what is on
  // it can be read.
  void failed(Part part, int error);
  bool is_given_up() const { return is_given_up_; }

 private:
  const Clock& clock_;
  std::function<void(std::string_view)> given_up_;
  bool is_given_up_ = false;
  std::array<int, 2> in_row_{};
  int in_window_ = 0;
  Clock::Monotonic window_began_{};
};

}  // namespace reelway::edge
