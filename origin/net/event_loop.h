#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "common/base/result.h"

struct uv_loop_s;

namespace reelway::origin {

// The origin's event loop: one thread runs it, and everything of a connection happens on that thread. What can block
// (files, the control store, hashing) goes to workers and comes back as a callback on the loop.
//
// Thread rules: post() may be called from any thread; everything else only on the loop's thread, or before run().
class EventLoop {
 public:
  using Task = std::function<void()>;

  // Work given to workers but not finished. Beyond it run_on_worker() refuses, so that a slow disk shows as an
  // overload and never as unbounded memory.
  static constexpr std::size_t kWorkMax = 512;

  EventLoop();
  ~EventLoop();  // CHECKs that every timer, signal and poll has been destroyed before
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Until stop().
  void run();
  void stop();

  // Runs `task` on the loop soon. Tasks posted after the loop has ended are destroyed unrun.
  void post(Task task);

  // Runs `work` on a worker thread, then `done` on the loop. False when kWorkMax is reached: neither will run.
  [[nodiscard]] bool run_on_worker(Task work, Task done);
  // The same without the limit, for the undoing of something whose number is bounded elsewhere.
  void run_cleanup(Task work, Task done);
  std::size_t work_count() const;
  std::uint64_t work_refused_count() const;

  // Coarse monotonic time, taken once per turn of the loop.
  std::chrono::milliseconds now() const;

  uv_loop_s* handle();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Calls back on the loop, once or repeatedly, while it lives.
class Timer {
 public:
  Timer(EventLoop& loop, std::function<void()> on_time);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void start_once(std::chrono::milliseconds after);
  void start_every(std::chrono::milliseconds period);
  void stop();

 private:
  struct State;
  State* state_;
};

// Calls back on the loop for each arrival of the signal, while it lives. It does not keep the loop running.
class SignalWatch {
 public:
  SignalWatch(EventLoop& loop, int signal_number, std::function<void()> on_signal);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  struct State;
  State* state_;
};

// Readiness of a socket that somebody else owns. Destroy (or stop) it before the socket is closed.
class SocketPoll {
 public:
  struct Ready {
    bool readable = false;
    bool writable = false;
  };
  using OnReady = std::function<void(Ready)>;

  SocketPoll(EventLoop& loop, int socket, OnReady on_ready);
  ~SocketPoll();
  SocketPoll(const SocketPoll&) = delete;
  SocketPoll& operator=(const SocketPoll&) = delete;
  // Cheap when nothing changes. An error of the socket is reported as readable and writable: the next call on the
  // socket then says what it is.
  void want(bool readable, bool writable);

 private:
  struct State;
  State* state_;
};

}  // namespace reelway::origin
