// The ring's surface: each prepare call fills one submission entry and returns; nothing else happens until the next
// turn (ring_loop.cc).

#include "common/ring/ring.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "common/base/check.h"
#include "common/ring/ring_state.h"

namespace reelway::ring {
namespace {

Error set_up_error(int errno_value) {
  std::string missing;
  switch (errno_value) {
    case ENOSYS: missing = "io_uring (Linux 5.1) is not in this kernel"; break;
    case EPERM: missing = "io_uring is forbidden here, by sysctl kernel.io_uring_disabled or a seccomp filter"; break;
    case EINVAL: missing = "io_uring lacks IORING_SETUP_DEFER_TASKRUN, which Linux 6.1 brought"; break;
    default: return system_error("io_uring_setup", "event loop", errno_value);
  }
  return {ErrorCode::kernel_feature_missing, Side::self, false, std::move(missing)};
}

}  // namespace

ReceivedBytes::ReceivedBytes(ReceivedBytes&& other) noexcept
    : ring_(std::exchange(other.ring_, nullptr)), buffer_(other.buffer_), view_(std::exchange(other.view_, {})) {}

ReceivedBytes& ReceivedBytes::operator=(ReceivedBytes&& other) noexcept {
  if (this != &other) {
    if (ring_ != nullptr) ring_->state_->buffers.give_back_leased(buffer_);
    ring_ = std::exchange(other.ring_, nullptr);
    buffer_ = other.buffer_;
    view_ = std::exchange(other.view_, {});
  }
  return *this;
}

ReceivedBytes::~ReceivedBytes() {
  if (ring_ != nullptr) ring_->state_->buffers.give_back_leased(buffer_);
}

Result<std::unique_ptr<Ring>> Ring::create(const RingOptions& options) {
  auto state = std::make_unique<State>();
  REELWAY_TRY(state->set_up(options));
  return std::unique_ptr<Ring>(new Ring(std::move(state)));
}

Ring::Ring(std::unique_ptr<State> state) : state_(std::move(state)) {}

Ring::~Ring() {
  abandon();
}

Result<void> Ring::State::set_up(const RingOptions& options) {
  io_uring_params params{};
  // R_DISABLED leaves open which thread is the single issuer until enable().
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
  params.cq_entries = options.entries * 4;
  if (const int result = io_uring_queue_init_params(options.entries, &uring, &params); result < 0) {
    return set_up_error(-result);
  }
  uring_made = true;
  if ((params.features & IORING_FEAT_EXT_ARG) == 0) return set_up_error(EINVAL);
  REELWAY_TRY(buffers.register_with(uring, options.receive_buffers, options.receive_buffer_bytes));
  wake_fd.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_fd) return system_error("eventfd", "event loop", errno);
  completions.reserve(params.cq_entries);
  return {};
}

Ring::State::~State() {
  if (uring_made) io_uring_queue_exit(&uring);
}

void Ring::accept_multishot(Operation& operation, int listen_fd) {
  io_uring_sqe& sqe = state_->next_sqe();
  io_uring_prep_multishot_accept(&sqe, listen_fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  state_->attach(sqe, operation, Operation::Kind::accept);
}

void Ring::connect(Operation& operation, int fd, const sockaddr* address, socklen_t length) {
  io_uring_sqe& sqe = state_->next_sqe();
  io_uring_prep_connect(&sqe, fd, address, length);
  state_->attach(sqe, operation);
}

void Ring::receive_multishot(Operation& operation, int fd) {
  state_->begin(operation, Operation::Kind::receive);
  if (state_->buffers.free_count() > 0 && state_->held_receives.empty()) {
    state_->send_receive(operation, fd);
    return;
  }
  state_->held_receives.push_back(&operation);
  state_->held_fds.push_back(fd);
}

void Ring::receive(Operation& operation, int fd, std::span<std::uint8_t> buffer, int flags) {
  io_uring_sqe& sqe = state_->next_sqe();
  io_uring_prep_recv(&sqe, fd, buffer.data(), buffer.size(), flags);
  state_->attach(sqe, operation);
}

void Ring::send(Operation& operation, int fd, ByteView bytes, int flags) {
  io_uring_sqe& sqe = state_->next_sqe();
  io_uring_prep_send(&sqe, fd, bytes.data(), bytes.size(), flags | MSG_NOSIGNAL);
  state_->attach(sqe, operation);
}

void Ring::send_message(Operation& operation, int fd, const msghdr* message, int flags) {
  io_uring_sqe& sqe = state_->next_sqe();
  io_uring_prep_sendmsg(&sqe, fd, message, static_cast<unsigned>(flags | MSG_NOSIGNAL));
  state_->attach(sqe, operation);
}

void Ring::read(Operation& operation, int fd, std::span<std::uint8_t> buffer, std::uint64_t offset) {
  io_uring_sqe& sqe = state_->next_sqe();
  io_uring_prep_read(&sqe, fd, buffer.data(), static_cast<unsigned>(buffer.size()), offset);
  state_->attach(sqe, operation);
}

void Ring::write(Operation& operation, int fd, ByteView bytes, std::uint64_t offset) {
  io_uring_sqe& sqe = state_->next_sqe();
  io_uring_prep_write(&sqe, fd, bytes.data(), static_cast<unsigned>(bytes.size()), offset);
  state_->attach(sqe, operation);
}

void Ring::sync_data(Operation& operation, int fd) {
  io_uring_sqe& sqe = state_->next_sqe();
  io_uring_prep_fsync(&sqe, fd, IORING_FSYNC_DATASYNC);
  state_->attach(sqe, operation);
}

void Ring::wait_writable(Operation& operation, int fd) {
  io_uring_sqe& sqe = state_->next_sqe();
  io_uring_prep_poll_add(&sqe, fd, POLLOUT);
  state_->attach(sqe, operation);
}

void Ring::shutdown(Operation& operation, int fd, int how) {
  io_uring_sqe& sqe = state_->next_sqe();
  io_uring_prep_shutdown(&sqe, fd, how);
  state_->attach(sqe, operation);
}

void Ring::timeout(Operation& operation, std::chrono::nanoseconds after) {
  io_uring_sqe& sqe = state_->next_sqe();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(after);
  state_->timespecs.push_back({seconds.count(), (after - seconds).count()});
  io_uring_prep_timeout(&sqe, &state_->timespecs.back(), 0, 0);
  state_->attach(sqe, operation);
}

void Ring::cancel(Operation& target) {
  state_->cancel(target);
}

void Ring::close(int fd) {
  io_uring_sqe& sqe = state_->next_sqe();
  io_uring_prep_close(&sqe, fd);
  sqe.flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(&sqe, State::kIgnored);
}

ReceivedBytes Ring::received(std::int32_t result, std::uint32_t flags) {
  ReceivedBytes lease;
  if (result <= 0 || (flags & IORING_CQE_F_BUFFER) == 0) return lease;
  const auto buffer = static_cast<std::uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT);
  CHECK(state_->untaken_buffer == buffer);
  state_->untaken_buffer = -1;
  lease.ring_ = this;
  lease.buffer_ = buffer;
  lease.view_ = state_->buffers.lease(buffer, static_cast<std::size_t>(result));
  return lease;
}

bool Ring::more_follow(std::uint32_t flags) {
  return (flags & IORING_CQE_F_MORE) != 0;
}

void Ring::post(std::function<void()> task) {
  bool wake = false;
  {
    const std::lock_guard lock(state_->posted_mutex);
    wake = state_->posted.empty();
    state_->posted.push_back(std::move(task));
  }
  // An eventfd write cannot fail here but by overflow, which takes 2^64 - 2 unread writes.
  if (wake) CHECK(::eventfd_write(state_->wake_fd.get(), 1) == 0);
}

void Ring::defer(std::function<void()> task) {
  state_->deferred.push_back(std::move(task));
}

void Ring::stop() {
  state_->stopping = true;
}

void Ring::abandon() {
  state_->abandon();
}

std::uint64_t Ring::turns() const {
  return state_->turn_count;
}

std::uint64_t Ring::receive_stalls() const {
  return state_->stall_count;
}

}  // namespace reelway::ring
