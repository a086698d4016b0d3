#include "common/ring/receive_buffers.h"

#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <string>

#include "common/base/check.h"

namespace reelway::ring {
namespace {

void* map_anonymous(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

Error registration_error(int errno_value) {
  if (errno_value == EINVAL || errno_value == ENOSYS) {
    return {ErrorCode::kernel_feature_missing, Side::self, false, "io_uring provided buffer rings need Linux 5.19"};
  }
  return system_error("io_uring_register_buf_ring", "receive buffers", errno_value);
}

}  // namespace

ReceiveBuffers::~ReceiveBuffers() {
  if (shared_ != nullptr) ::munmap(shared_, shared_bytes());
  if (memory_ != nullptr) ::munmap(memory_, std::size_t{count_} * buffer_bytes_);
}

Result<void> ReceiveBuffers::register_with(io_uring& uring, std::uint32_t count, std::uint32_t buffer_bytes) {
  if (!std::has_single_bit(count) || count > kCountMax || buffer_bytes == 0) {
    return Error{ErrorCode::config_value_invalid, Side::self, false,
                 "receive buffers: " + std::to_string(count) + " of " + std::to_string(buffer_bytes) +
                     " bytes; the count must be a power of two up to 32768"};
  }
  count_ = count;
  buffer_bytes_ = buffer_bytes;
  shared_ = static_cast<io_uring_buf_ring*>(map_anonymous(shared_bytes()));
  memory_ = static_cast<std::uint8_t*>(map_anonymous(std::size_t{count} * buffer_bytes));
  if (shared_ == nullptr || memory_ == nullptr) return system_error("mmap", "receive buffers", ENOMEM);

  io_uring_buf_ring_init(shared_);
  io_uring_buf_reg request{};
  request.ring_addr = reinterpret_cast<std::uintptr_t>(shared_);
  request.ring_entries = count;
  request.bgid = kGroup;
  if (const int result = io_uring_register_buf_ring(&uring, &request, 0); result < 0)
    return registration_error(-result);

  const int mask = io_uring_buf_ring_mask(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto buffer = static_cast<std::uint16_t>(i);
    io_uring_buf_ring_add(shared_, memory_of(buffer), buffer_bytes_, buffer, mask, static_cast<int>(i));
  }
  io_uring_buf_ring_advance(shared_, static_cast<int>(count));
  return {};
}

ByteView ReceiveBuffers::lease(std::uint16_t buffer, std::size_t bytes) {
  CHECK(buffer < count_ && bytes <= buffer_bytes_ && leased_ < count_);
  ++leased_;
  return {memory_of(buffer), bytes};
}

void ReceiveBuffers::give_back_leased(std::uint16_t buffer) {
  CHECK(leased_ > 0);
  --leased_;
  give_back(buffer);
}

void ReceiveBuffers::give_back(std::uint16_t buffer) {
  CHECK(buffer < count_);
  io_uring_buf_ring_add(shared_, memory_of(buffer), buffer_bytes_, buffer, io_uring_buf_ring_mask(count_), 0);
  io_uring_buf_ring_advance(shared_, 1);
}

}  // namespace reelway::ring
