#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include "common/base/check.h"

namespace reelway {

// Closes a component in order: no new work, wait for the old, assert that none is left. One thread.
class Gate {
 public:
  // Counts one piece of work while it lives.
  class Pass {
   public:
    Pass() = default;
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      if (this != &other) {
        leave();
        gate_ = std::exchange(other.gate_, nullptr);
      }
      return *this;
    }
    ~Pass() { leave(); }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    friend class Gate;
    explicit Pass(Gate* gate) : gate_(gate) {}
    void leave() {
      if (gate_ != nullptr) std::exchange(gate_, nullptr)->leave();
    }
    Gate* gate_ = nullptr;
  };

  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() { CHECK(inside_ == 0); }

  // An empty pass when the gate is closed: the work must not begin.
  Pass enter() {
    if (closed_) return {};
    ++inside_;
    return Pass(this);
  }

  // `when_empty` is called once, when the last piece of work has left (at once if none is inside).
  void close(std::function<void()> when_empty) {
    CHECK(!closed_);
    closed_ = true;
    when_empty_ = std::move(when_empty);
    if (inside_ == 0 && when_empty_) std::exchange(when_empty_, nullptr)();
  }

  bool closed() const { return closed_; }
  std::size_t inside() const { return inside_; }

 private:
  void leave() {
    CHECK(inside_ > 0);
    if (--inside_ == 0 && closed_ && when_empty_) std::exchange(when_empty_, nullptr)();
  }

  std::size_t inside_ = 0;
  bool closed_ = false;
  std::function<void()> when_empty_;
};

}  // namespace reelway
