#include "origin/net/event_loop.h"

#include <uv.h>

#include <csignal>
#include <mutex>
#include <vector>

#include "common/base/check.h"

// The model. libuv keeps a handle's memory in use until its close callback has run, which is after the owner's
// destructor has returned. So each wrapper (Timer, SignalWatch, SocketPoll) is a pointer to a heap State that begins
// with the handle: the destructor takes the callback away, asks for the close, and the close callback frees the State.
// A callback may destroy its own wrapper: it is moved to the stack for the time of the call.

namespace reelway::origin {
namespace {

// uv_* calls with arguments that we chose ourselves fail only by our own fault.
void must(int result) {
  CHECK(result == 0);
}

}  // namespace

struct EventLoop::State {
  uv_loop_t loop{};
  uv_async_t wake{};
  std::mutex mutex;
  std::vector<Task> posted;  // guarded by mutex; bounded by its callers, who post a few tasks each
  bool ended = false;        // guarded by mutex
  std::size_t work_count = 0;
  std::uint64_t work_refused_count = 0;

  struct Work {
    uv_work_t request{};
    State* owner = nullptr;
    Task work;
    Task done;
  };

  void run_posted() {
    std::vector<Task> tasks;
    {
      std::lock_guard lock(mutex);
      tasks.swap(posted);
    }
    for (Task& task : tasks) task();
  }

  static void on_wake(uv_async_t* wake) { static_cast<State*>(wake->data)->run_posted(); }
  static void on_work(uv_work_t* request) { static_cast<Work*>(request->data)->work(); }
  static void on_work_done(uv_work_t* request, int) {
    std::unique_ptr<Work> work(static_cast<Work*>(request->data));
    --work->owner->work_count;
    // What the work captured goes first: `done` may end the owner of it.
    work->work = nullptr;
    work->done();
  }
};

EventLoop::EventLoop() : state_(std::make_unique<State>()) {
  // sendfile has no flag against it: a client that left must be an error of the call, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  must(uv_loop_init(&state_->loop));
  must(uv_async_init(&state_->loop, &state_->wake, &State::on_wake));
  state_->wake.data = state_.get();
}

EventLoop::~EventLoop() {
  {
    std::lock_guard lock(state_->mutex);
    state_->ended = true;
  }
  state_->posted.clear();
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->wake), nullptr);
  // Runs the close callbacks that are still due, and the ends of work still under way.
  while (uv_run(&state_->loop, UV_RUN_DEFAULT) != 0) {
  }
  must(uv_loop_close(&state_->loop));
}

void EventLoop::run() {
  uv_run(&state_->loop, UV_RUN_DEFAULT);
}

void EventLoop::stop() {
  uv_stop(&state_->loop);
}

void EventLoop::post(Task task) {
  std::lock_guard lock(state_->mutex);
  if (state_->ended) return;
  state_->posted.push_back(std::move(task));
  must(uv_async_send(&state_->wake));
}

bool EventLoop::run_on_worker(Task work, Task done) {
  if (state_->work_count >= kWorkMax) {
    ++state_->work_refused_count;
    return false;
  }
  run_cleanup(std::move(work), std::move(done));
  return true;
}

void EventLoop::run_cleanup(Task work, Task done) {
  auto item = std::make_unique<State::Work>();
  item->owner = state_.get();
  item->work = std::move(work);
  item->done = std::move(done);
  item->request.data = item.get();
  must(uv_queue_work(&state_->loop, &item->request, &State::on_work, &State::on_work_done));
  item.release();
  ++state_->work_count;
}

std::size_t EventLoop::work_count() const {
  return state_->work_count;
}
std::uint64_t EventLoop::work_refused_count() const {
  return state_->work_refused_count;
}
std::chrono::milliseconds EventLoop::now() const {
  return std::chrono::milliseconds(uv_now(&state_->loop));
}
uv_loop_s* EventLoop::handle() {
  return &state_->loop;
}

struct Timer::State {
  uv_timer_t handle{};
  std::function<void()> on_time;

  static void fired(uv_timer_t* handle) {
    auto* state = static_cast<State*>(handle->data);
    const auto call = state->on_time;  // a copy, for the call may destroy the timer
    call();
  }
  static void closed(uv_handle_t* handle) { delete static_cast<State*>(handle->data); }
};

Timer::Timer(EventLoop& loop, std::function<void()> on_time) : state_(new State) {
  must(uv_timer_init(loop.handle(), &state_->handle));
  state_->handle.data = state_;
  state_->on_time = std::move(on_time);
}

Timer::~Timer() {
  stop();
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle), &State::closed);
}

void Timer::start_once(std::chrono::milliseconds after) {
  must(uv_timer_start(&state_->handle, &State::fired, static_cast<std::uint64_t>(after.count()), 0));
}

void Timer::start_every(std::chrono::milliseconds period) {
  const auto milliseconds = static_cast<std::uint64_t>(period.count());
  must(uv_timer_start(&state_->handle, &State::fired, milliseconds, milliseconds));
}

void Timer::stop() {
  uv_timer_stop(&state_->handle);
}

struct SignalWatch::State {
  uv_signal_t handle{};
  std::function<void()> on_signal;

  static void fired(uv_signal_t* handle, int) {
    const auto call = static_cast<State*>(handle->data)->on_signal;
    call();
  }
  static void closed(uv_handle_t* handle) { delete static_cast<State*>(handle->data); }
};

SignalWatch::SignalWatch(EventLoop& loop, int signal_number, std::function<void()> on_signal) : state_(new State) {
  must(uv_signal_init(loop.handle(), &state_->handle));
  state_->handle.data = state_;
  state_->on_signal = std::move(on_signal);
  must(uv_signal_start(&state_->handle, &State::fired, signal_number));
  uv_unref(reinterpret_cast<uv_handle_t*>(&state_->handle));
}

SignalWatch::~SignalWatch() {
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle), &State::closed);
}

struct SocketPoll::State {
  uv_poll_t handle{};
  std::shared_ptr<OnReady> on_ready;  // shared, so that a call outlives the wrapper that it destroys
  int wanted = 0;

  static void ready(uv_poll_t* handle, int status, int events) {
    auto* state = static_cast<State*>(handle->data);
    const auto call = state->on_ready;
    if (status < 0) {
      state->wanted = 0;  // libuv stops a poll that it reports an error of
      return (*call)({true, true});
    }
    (*call)({(events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0});
  }
  static void closed(uv_handle_t* handle) { delete static_cast<State*>(handle->data); }
};

SocketPoll::SocketPoll(EventLoop& loop, int socket, OnReady on_ready) : state_(new State) {
  must(uv_poll_init(loop.handle(), &state_->handle, socket));
  state_->handle.data = state_;
  state_->on_ready = std::make_shared<OnReady>(std::move(on_ready));
}

SocketPoll::~SocketPoll() {
  uv_poll_stop(&state_->handle);
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle), &State::closed);
}

void SocketPoll::want(bool readable, bool writable) {
  const int wanted = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
  if (wanted == state_->wanted) return;
  state_->wanted = wanted;
  if (wanted == 0) {
    uv_poll_stop(&state_->handle);
  } else {
    must(uv_poll_start(&state_->handle, wanted, &State::ready));
  }
}

}  // namespace reelway::origin
