#pragma once

#include <functional>
#include <future>
#include <thread>

#include "origin/net/event_loop.h"

namespace reelway::testing {

// An origin event loop that runs on a thread of its own. What lives on the loop is made and destroyed within call().
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop_.run(); }) {}
  ~LoopThread() {
    call([this] { loop_.stop(); });
    thread_.join();
  }

  origin::EventLoop& loop() { return loop_; }

  // Runs `task` on the loop and waits for it.
  void call(const std::function<void()>& task) {
    std::promise<void> done;
    loop_.post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

 private:
  origin::EventLoop loop_;
  std::thread thread_;
};

}  // namespace reelway::testing
