#pragma once

#include <liburing.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "common/base/unique_fd.h"
#include "common/ring/operation.h"
#include "common/ring/receive_buffers.h"
#include "common/ring/ring.h"
#include "common/ring/timer_queue.h"

namespace reelway::ring {

// One ring's insides. An Operation in flight is in one of four places: with the kernel; in `completions`, drained
// and not yet dispatched; in `held_receives`, a receive that waits for a buffer; or in `completions` by a cancel()
// of such a receive. A completion's user data is its Operation's address, or one of the two marks below.
struct Ring::State {
  static constexpr std::uint64_t kIgnored = 0;  // closes and cancels: nobody waits for them
  static constexpr std::uint64_t kWake = 1;     // the poll on wake_fd

  struct Completion {
    Operation* operation;
    std::int32_t result;
    std::uint32_t flags;
  };

  // ~State ends the io_uring before its members go, so the kernel lets go of the buffers first.
  ReceiveBuffers buffers;
  io_uring uring{};
  bool uring_made = false;
  bool enabled = false;  // bound to the ring's thread

  UniqueFd wake_fd;
  bool wake_armed = false;
  std::mutex posted_mutex;
  std::vector<std::function<void()>> posted;  // guarded by posted_mutex

  std::vector<std::function<void()>> deferred;
  std::vector<Completion> completions;
  std::deque<Operation*> held_receives;
  std::deque<int> held_fds;                 // the descriptors of held_receives, in step
  std::deque<__kernel_timespec> timespecs;  // must stay put until the kernel has read them at submission
  std::shared_ptr<TimerQueue> timers = std::make_shared<TimerQueue>();

  std::size_t in_flight = 0;
  std::int32_t untaken_buffer = -1;  // of the receive completion being dispatched, until received() takes it
  bool dispatching = false;
  bool stopping = false;
  std::uint64_t turn_count = 0;
  std::uint64_t stall_count = 0;

  ~State();

  Result<void> set_up(const RingOptions& options);

  // Preparing.
  io_uring_sqe& next_sqe();
  void attach(io_uring_sqe& sqe, Operation& operation, Operation::Kind kind = Operation::Kind::plain);
  void begin(Operation& operation, Operation::Kind kind);
  void send_receive(Operation& operation, int fd);
  void cancel(Operation& target);
  void submit();

  // The turn.
  void enable();
  void arm_wake();
  void turn();
  void release_held_receives();
  bool must_not_sleep() const;
  void submit_and_wait();
  void drain();
  void dispatch();
  void deliver(const Completion& completion);
  void take_posted();
  void run_deferred();

  // The end.
  void abandon();
  void settle(const Completion& completion);
};

}  // namespace reelway::ring
