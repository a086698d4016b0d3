#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/ring/operation.h"

namespace reelway::ring {

struct RingOptions {
  std::uint32_t entries = 4096;          // submission queue; the completion queue is four times that
  std::uint32_t receive_buffers = 1024;  // power of two; provided to multishot receives
  std::uint32_t receive_buffer_bytes = 16 * 1024;
};

// A received piece, leased from the ring's provided buffers; goes back when the lease is destroyed. Hold it no
// longer than the bytes are needed: when all are out, receives stop (counted) until one returns.
class ReceivedBytes {
 public:
  ReceivedBytes() = default;
  ReceivedBytes(ReceivedBytes&&) noexcept;
  ReceivedBytes& operator=(ReceivedBytes&&) noexcept;
  ~ReceivedBytes();
  ByteView view() const { return view_; }

 private:
  friend class Ring;
  Ring* ring_ = nullptr;
  std::uint16_t buffer_ = 0;
  ByteView view_;
};

// The io_uring event loop of one thread (SINGLE_ISSUER, DEFER_TASKRUN). Only this library includes liburing.
//
// Order: run() submits what has been prepared, waits, drains all completions to a list, and only then calls
// completed() of each, never from inside a call that prepares an operation. All members are for the ring's thread
// but post(), which any thread may call.
//
// A prepare call never fails: a full submission queue is flushed to the kernel first. Buffers, addresses and
// operations must live until completed().
//
// A ring may be created on one thread and run on another; the thread of the first run() (or of the first flush)
// becomes the ring's thread, and a ring with operations in flight must be destroyed there.
class Ring {
 public:
  // kernel_feature_missing names the feature and the kernel that has it.
  static Result<std::unique_ptr<Ring>> create(const RingOptions& options = {});
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // completed(fd) once per connection. The descriptor does not block whoever uses it without the ring.
  void accept_multishot(Operation& operation, int listen_fd);
  void connect(Operation& operation, int fd, const sockaddr* address, socklen_t length);
  // Take the bytes with received(result, flags). -ENOBUFS ends it when no buffer is left: prepare it again, and the
  // ring holds it back until a buffer has returned.
  void receive_multishot(Operation& operation, int fd);
  void receive(Operation& operation, int fd, std::span<std::uint8_t> buffer, int flags = 0);
  void send(Operation& operation, int fd, ByteView bytes, int flags = 0);  // MSG_NOSIGNAL is always set
  void send_message(Operation& operation, int fd, const msghdr* message, int flags = 0);
  void read(Operation& operation, int fd, std::span<std::uint8_t> buffer, std::uint64_t offset);
  void write(Operation& operation, int fd, ByteView bytes, std::uint64_t offset);
  void sync_data(Operation& operation, int fd);
  void shutdown(Operation& operation, int fd, int how);
  void wait_writable(Operation& operation, int fd);  // completed(poll events), also when the peer has gone
  void timeout(Operation& operation, std::chrono::nanoseconds after);  // completed(-ETIME)
  void cancel(Operation& target);  // the target still completes, usually with -ECANCELED
  void close(int fd);              // after everything on it has completed; no completion

  // The lease of a multishot receive's completion; empty at end of stream and on error. Only inside completed(), once:
  // a buffer that completed() does not take goes back when it returns.
  ReceivedBytes received(std::int32_t result, std::uint32_t flags);
  // Whether a multishot operation goes on by itself; if not, it must be prepared again.
  static bool more_follow(std::uint32_t flags);

  void post(std::function<void()> task);   // from any thread; runs on the ring's thread
  void defer(std::function<void()> task);  // runs in this turn, after the current completions
  // Returns at the end of the turn in which stop() was called (at once if it was called before). Operations stay in
  // flight, and run() may be called again.
  void run();
  void stop();
  // Outside run(): takes every operation back from the kernel and waits until it has let go of their buffers.
  // completed() is not called, and in_flight() is false afterwards, so owners may be destroyed. Deferred and posted
  // tasks that have not run are dropped. The destructor does the same.
  void abandon();

  std::uint64_t turns() const;
  std::uint64_t receive_stalls() const;  // times a receive ended because no buffer was left

 private:
  friend class ReceivedBytes;
  friend class Timer;
  struct State;
  explicit Ring(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace reelway::ring
