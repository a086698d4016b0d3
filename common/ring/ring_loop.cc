// One turn of the loop: release held receives, submit and wait, drain the completion queue to a list, dispatch the
// list, run posted tasks, fire timers, run deferred tasks. Handlers prepare operations at any of these points; their
// completions are dispatched in a later step of a later turn, never from inside the prepare call.

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/base/check.h"
#include "common/ring/ring_state.h"

namespace reelway::ring {

void Ring::run() {
  state_->enable();
  while (!state_->stopping) state_->turn();
  state_->submit();  // what the last turn prepared: closes, last sends
  state_->stopping = false;
}

void Ring::State::enable() {
  if (enabled) return;
  // Debian's liburing 2.3 declares io_uring_enable_rings() but does not export it.
  const long result = ::syscall(__NR_io_uring_register, uring.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  CHECK(result == 0);
  // Saves a look-up of the descriptor on each turn; a refusal costs only that.
  (void)io_uring_register_ring_fd(&uring);
  enabled = true;
}

io_uring_sqe& Ring::State::next_sqe() {
  io_uring_sqe* sqe = io_uring_get_sqe(&uring);
  while (sqe == nullptr) {
    submit();
    sqe = io_uring_get_sqe(&uring);
    // The kernel may refuse entries while completions wait to be taken.
    if (sqe == nullptr) drain();
  }
  return *sqe;
}

void Ring::State::begin(Operation& operation, Operation::Kind kind) {
  CHECK(!operation.in_flight_);
  operation.in_flight_ = true;
  operation.kind_ = kind;
  ++in_flight;
}

void Ring::State::attach(io_uring_sqe& sqe, Operation& operation, Operation::Kind kind) {
  begin(operation, kind);
  io_uring_sqe_set_data(&sqe, &operation);
}

void Ring::State::send_receive(Operation& operation, int fd) {
  io_uring_sqe& sqe = next_sqe();
  io_uring_prep_recv_multishot(&sqe, fd, nullptr, 0, 0);
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = ReceiveBuffers::kGroup;
  io_uring_sqe_set_data(&sqe, &operation);
}

void Ring::State::cancel(Operation& target) {
  if (!target.in_flight_) return;
  const auto held = std::find(held_receives.begin(), held_receives.end(), &target);
  if (held != held_receives.end()) {
    held_fds.erase(held_fds.begin() + (held - held_receives.begin()));
    held_receives.erase(held);
    completions.push_back({&target, -ECANCELED, 0});
    return;
  }
  io_uring_sqe& sqe = next_sqe();
  io_uring_prep_cancel(&sqe, &target, 0);
  sqe.flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(&sqe, kIgnored);
}

void Ring::State::submit() {
  enable();
  const int result = io_uring_submit(&uring);
  CHECK(result >= 0 || result == -EINTR || result == -EAGAIN || result == -EBUSY);
  if (io_uring_sq_ready(&uring) == 0) timespecs.clear();
}

void Ring::State::arm_wake() {
  if (wake_armed) return;
  io_uring_sqe& sqe = next_sqe();
  io_uring_prep_poll_multishot(&sqe, wake_fd.get(), POLLIN);
  io_uring_sqe_set_data64(&sqe, kWake);
  wake_armed = true;
}

void Ring::State::turn() {
  arm_wake();
  release_held_receives();
  submit_and_wait();
  drain();
  dispatch();
  timers->fire_due();
  run_deferred();
  ++turn_count;
}

// As many held receives as there are free buffers. Those that find no data use none up, so the loop does not sleep
// while there are both held receives and free buffers.
void Ring::State::release_held_receives() {
  for (std::uint32_t free = buffers.free_count(); free > 0 && !held_receives.empty(); --free) {
    Operation& operation = *held_receives.front();
    const int fd = held_fds.front();
    held_receives.pop_front();
    held_fds.pop_front();
    send_receive(operation, fd);
  }
}

bool Ring::State::must_not_sleep() const {
  return !completions.empty() || !deferred.empty() || (!held_receives.empty() && buffers.free_count() > 0);
}

void Ring::State::submit_and_wait() {
  int result = 0;
  const auto sleep_max = timers->sleep_max();
  if (must_not_sleep() || (sleep_max && sleep_max->count() == 0)) {
    result = io_uring_submit_and_get_events(&uring);
  } else if (sleep_max) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*sleep_max);
    __kernel_timespec limit{seconds.count(), (*sleep_max - seconds).count()};
    io_uring_cqe* first = nullptr;
    result = io_uring_submit_and_wait_timeout(&uring, &first, 1, &limit, nullptr);
  } else {
    result = io_uring_submit_and_wait(&uring, 1);
  }
  CHECK(result >= 0 || result == -EINTR || result == -EAGAIN || result == -EBUSY || result == -ETIME);
  if (io_uring_sq_ready(&uring) == 0) timespecs.clear();
}

void Ring::State::drain() {
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&uring, head, cqe) {
    ++count;
    if (cqe->user_data == kIgnored) continue;
    if (cqe->user_data == kWake) {
      completions.push_back({nullptr, cqe->res, cqe->flags});
    } else {
      completions.push_back({reinterpret_cast<Operation*>(cqe->user_data), cqe->res, cqe->flags});
    }
  }
  io_uring_cq_advance(&uring, count);
}

void Ring::State::dispatch() {
  dispatching = true;
  // By index: a handler that fills the submission queue can append to the list.
  for (std::size_t i = 0; i < completions.size(); ++i) {
    const Completion completion = completions[i];
    if (completion.operation == nullptr) {
      wake_armed = more_follow(completion.flags);
      take_posted();
    } else {
      deliver(completion);
    }
  }
  completions.clear();
  dispatching = false;
}

void Ring::State::deliver(const Completion& completion) {
  Operation& operation = *completion.operation;
  if (!more_follow(completion.flags)) {
    operation.in_flight_ = false;
    --in_flight;
  }
  if (operation.kind_ == Operation::Kind::receive) {
    if (completion.result == -ENOBUFS) ++stall_count;
    if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
      untaken_buffer = static_cast<std::int32_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
    }
  }
  operation.completed(completion.result, completion.flags);
  if (untaken_buffer >= 0) buffers.give_back(static_cast<std::uint16_t>(std::exchange(untaken_buffer, -1)));
}

void Ring::State::take_posted() {
  eventfd_t count = 0;
  // Read before the list is taken: a task that comes later writes again. EAGAIN means a former turn read it.
  (void)::eventfd_read(wake_fd.get(), &count);
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(posted_mutex);
    tasks.swap(posted);
  }
  for (auto& task : tasks) task();
}

void Ring::State::run_deferred() {
  if (deferred.empty()) return;
  std::vector<std::function<void()>> tasks;
  tasks.swap(deferred);  // what these defer runs in the next turn, which then does not sleep
  for (auto& task : tasks) task();
}

void Ring::State::abandon() {
  CHECK(!dispatching);
  for (Operation* operation : held_receives) {
    operation->in_flight_ = false;
    --in_flight;
  }
  held_receives.clear();
  held_fds.clear();
  deferred.clear();
  {
    const std::lock_guard lock(posted_mutex);
    posted.clear();
  }
  for (const Completion& completion : std::exchange(completions, {})) settle(completion);
  while (in_flight > 0) {
    enable();
    io_uring_sqe& sqe = next_sqe();
    io_uring_prep_cancel(&sqe, nullptr, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
    io_uring_sqe_set_data64(&sqe, kIgnored);
    // Cancellation is asked for again until nothing is left: an operation that a worker thread runs may miss it.
    constexpr auto kRetry = std::chrono::milliseconds{20};
    __kernel_timespec limit{0, std::chrono::nanoseconds{kRetry}.count()};
    io_uring_cqe* first = nullptr;
    const int result = io_uring_submit_and_wait_timeout(&uring, &first, 1, &limit, nullptr);
    CHECK(result != -EEXIST);  // a ring with operations in flight is destroyed on its own thread
    drain();
    for (const Completion& completion : std::exchange(completions, {})) settle(completion);
  }
}

// The end of an operation of which nobody is told.
void Ring::State::settle(const Completion& completion) {
  if (completion.operation == nullptr) {
    wake_armed = more_follow(completion.flags);
    return;
  }
  Operation& operation = *completion.operation;
  if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
    buffers.give_back(static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT));
  }
  if (operation.kind_ == Operation::Kind::accept && completion.result >= 0) ::close(completion.result);
  if (!more_follow(completion.flags)) {
    operation.in_flight_ = false;
    --in_flight;
  }
}

}  // namespace reelway::ring
