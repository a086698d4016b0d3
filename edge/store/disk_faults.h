#pragma once

#include <cstdint>
#include <string_view>

namespace reelway::edge {

// The seam below the store at which tests make a disk fail. May be asked from several threads.
class DiskFaults {
 public:
  enum class Operation : std::uint8_t { read_body, write_body, make_slab, read_index, write_index };
  // Instead of an errno, for write_body: it is reported as written, but nothing is, or the first half only.
  static constexpr int kLost = -1;
  static constexpr int kTorn = -2;

  virtual ~DiskFaults() = default;
  // How the operation fails; 0: it is carried out.
  virtual int fault(Operation operation, std::string_view directory) = 0;
};

}  // namespace reelway::edge
