#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "common/base/check.h"
#include "origin/net/event_loop.h"
#include "origin/net/exchange.h"

namespace reelway::origin {

// What a step says: go on with the next one; wait (something was started that will call advance(), and then the same
// step is asked again); or done (the request has its answer).
enum class Verdict : std::uint8_t { next, wait, done };

template <class Request>
struct Step {
  std::string_view name;
  Verdict (Request::*run)();
};

// A request as a table of named steps (Derived::steps()). Only advance() loops. Loop thread only.
template <class Derived>
class SteppedRequest : public RequestHandler {
 public:
  SteppedRequest(EventLoop& loop, Responder& responder) : loop_(loop), responder_(&responder) {}

  void abandoned() override { responder_ = nullptr; }

 protected:
  void advance() {
    const auto self = shared_from_this();
    const std::span<const Step<Derived>> steps = Derived::steps();
    while (responder_ != nullptr) {
      CHECK(at_ < steps.size());
      const Verdict verdict = (static_cast<Derived&>(*this).*steps[at_].run)();
      if (verdict != Verdict::next) return;
      ++at_;
    }
  }

  Verdict answer(Response response) {
    // The responder is given up first: the connection may drop this request within the call.
    if (Responder* responder = std::exchange(responder_, nullptr)) responder->respond(std::move(response));
    return Verdict::done;
  }

  // Runs `work` on a worker and then this step again. `work` touches only what the step does not use meanwhile.
  Verdict wait_for_worker(EventLoop::Task work) {
    auto self = shared_from_this();
    const bool queued = loop_.run_on_worker(std::move(work), [this, self] { advance(); });
    if (queued) return Verdict::wait;
    Error error;
    error.code = ErrorCode::overloaded;
    error.retry = true;
    error.detail = std::to_string(EventLoop::kWorkMax) + " pieces of work wait for a worker";
    return static_cast<Derived&>(*this).fail(error);
  }

  EventLoop& loop_;
  Responder* responder_;  // null once answered or abandoned

 private:
  std::size_t at_ = 0;
};

}  // namespace reelway::origin
