#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace reelway::ring {

// The buffers that the kernel fills for multishot receives: one block of memory, and the shared ring through which
// a buffer's number goes to the kernel. A buffer is in one of three places: with the kernel, in a completion not yet
// looked at, or leased. free_count() counts the first two.
class ReceiveBuffers {
 public:
  static constexpr std::uint16_t kGroup = 0;
  static constexpr std::uint32_t kCountMax = 32768;  // the kernel's limit on a buffer ring

  ReceiveBuffers() = default;
  ReceiveBuffers(const ReceiveBuffers&) = delete;
  ReceiveBuffers& operator=(const ReceiveBuffers&) = delete;
  ~ReceiveBuffers();  // after the io_uring is gone

  Result<void> register_with(io_uring& uring, std::uint32_t count, std::uint32_t buffer_bytes);

  ByteView lease(std::uint16_t buffer, std::size_t bytes);
  void give_back_leased(std::uint16_t buffer);
  void give_back(std::uint16_t buffer);  // one that was never leased

  std::uint32_t free_count() const { return count_ - leased_; }

 private:
  std::uint8_t* memory_of(std::uint16_t buffer) const { return memory_ + std::size_t{buffer} * buffer_bytes_; }
  std::size_t shared_bytes() const { return count_ * sizeof(io_uring_buf); }

  io_uring_buf_ring* shared_ = nullptr;
  std::uint8_t* memory_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint32_t buffer_bytes_ = 0;
  std::uint32_t leased_ = 0;
};

}  // namespace reelway::ring
