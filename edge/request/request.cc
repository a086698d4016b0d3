#include "edge/request/request.h"

#include <memory>
#include <utility>

#include "common/base/check.h"
#include "edge/request/site_answer.h"
#include "edge/request/steps.h"

// The machine. A request visits every step of the table in its order; a step that has nothing to do for it returns
// `next`. Once the answer is decided without an object (a refusal, or the answer to OPTIONS), the steps before deliver
// are passed over. One way leads back: a request that read along, and finds that the answer is not for it, looks up
// anew, a bounded number of times. There is no other way through the table.
//
// Waking is idempotent: whatever a request waits for may wake it at any time, also from inside a step it is running
// (a hit that completes while its reader is being added, say); the step looks again at the state of things.

namespace reelway::edge {

Request::Request(Services& services, ResponseStream& stream) : services_(services), stream_(stream) {}

Request::~Request() {
  if (state_.handed_over != nullptr) state_.handed_over->withdraw();
  if (active_) detach();
  if (holds_rental_) services_.running.leave(*this);
}

void Request::begin() {
  start();
  run();
}

void Request::begin_handed(const std::optional<Grant>& grant, Clock::Monotonic began) {
  start();
  state_.is_guest = true;
  state_.began = began;
  if (grant) state_.token_decision = *grant;
  state_.token_asked = true;
  run();
}

void Request::start() {
  CHECK(!active_ && !state_.token_decision && !state_.rental_decision && state_.object == nullptr);
  active_ = true;
  stream_open_ = true;
  step_ = 0;
}

void Request::run() {
  if (!active_) return;
  if (std::exchange(running_, true)) {
    woken_ = true;
    return;
  }
  bool over = false;
  do {
    woken_ = false;
    over = run_steps();
  } while (woken_ && !over);
  running_ = false;
  if (!over) return;
  const bool keep_alive = state_.keep_alive;
  end_here();
  if (stream_open_) stream_.finish(keep_alive);
}

void Request::end_here() {
  detach();
  if (std::exchange(holds_rental_, false)) services_.running.leave(*this);
  active_ = false;
  // Anew where it lies: an assignment would make a second one, move it and destroy it.
  std::destroy_at(&state_);
  std::construct_at(&state_);
}

bool Request::run_steps() {
  while (true) {
    const StepInfo& info = kSteps[step_];
    const bool decided = state_.refusal || !state_.ready_answer.empty();
    const bool passed_over = decided && info.step < Step::deliver;
    switch (passed_over ? Verdict::next : info.run(*this)) {
      case Verdict::next: ++step_; break;
      case Verdict::wait: return false;
      case Verdict::anew:
        forget_found();
        step_ = static_cast<std::size_t>(Step::lookup);
        break;
      case Verdict::done: return true;
    }
    CHECK(step_ < kSteps.size());
  }
}

void Request::forget_found() {
  follow(nullptr, nullptr);
  state_.leads = false;
  if (state_.site == nullptr) return;
  state_.key = state_.site->primary_key;
  state_.site->marker = nullptr;
  state_.site->stored = nullptr;
}

// Passed on by the request that began the fetch, to a client that knows of interim answers. 100 is an answer to an
// Expect that the edge has kept to itself.
void Request::interim(const http::ResponseHead& head) {
  if (state_.site == nullptr || !state_.leads || head.status == 100) return;
  if (state_.head_sent || stream_.request().minor_version == 0) return;
  state_.site->interim += interim_text(head);
  if (!state_.writing)
    write({.head = std::exchange(state_.site->interim, {}), .body = {}, .tail = {}, .owner = nullptr});
}

void Request::written() {
  if (state_.handed_over != nullptr) return state_.handed_over->written();
  state_.writing = false;
  run();
}

void Request::client_gone() {
  if (!active_) return;
  stream_open_ = false;
  if (state_.handed_over != nullptr) {
    state_.handed_over->client_gone();
    return end_here();
  }
  state_.cut = true;
  state_.writing = false;
  detach();
  step_ = static_cast<std::size_t>(Step::log);
  run();
}

void Request::hand_over(std::size_t home) {
  auto handed = std::make_unique<HandedRequest>(stream_);
  handed->began = state_.began;
  if (state_.token_decision) handed->grant = grant();
  state_.handed_over = HandOver::begin(services_.seat, home, std::move(handed), *this);
}

void Request::handed_piece(ResponseStream::Piece piece) {
  stream_.write(std::move(piece));
}

void Request::handed_finished(bool keep_alive) {
  state_.keep_alive = keep_alive;
  state_.handed_over_ended = true;
  run();
}

void Request::handed_cut() {
  stream_open_ = false;
  stream_.abort();
  end_here();
}

void Request::token_decided(Result<Grant> decision) {
  state_.token_decision = std::move(decision);
  run();
}

void Request::rights_decided(Result<void> decision) {
  state_.rental_decision = std::move(decision);
  run();
}

void Request::relayed(Result<RelayedAnswer> answer) {
  state_.relayed = std::move(answer);
  run();
}

void Request::hold_rental() {
  holds_rental_ = true;
  services_.running.join(*this);
}

std::optional<Error> Request::no_longer_allowed() {
  if (services_.rights.is_withdrawn(state_.path.title)) {
    const Result<void> refused = services_.rights.check_title(state_.path.title);
    CHECK(!refused.ok());
    return refused.error();
  }
  if (!grant().entitlement || services_.rights.still_allowed(*grant().entitlement)) return std::nullopt;
  const auto decision = services_.rights.decide(*grant().entitlement, *this);
  CHECK(decision.has_value() && !decision->ok());  // a record denies it, so nobody is asked
  return decision->error();
}

// A rental that ends within an answer ends the answer: what has not begun gets the reason, what has is cut short.
void Request::recheck_rental() {
  if (state_.refusal) return;
  const std::optional<Error> reason = no_longer_allowed();
  if (!reason) return;
  ++services_.counters.rental_cuts;
  if (state_.handed_over != nullptr) {
    if (state_.handed_over->answer_has_begun()) {
      state_.handed_over->end_rental(*reason);
      return handed_cut();
    }
    std::exchange(state_.handed_over, nullptr)->withdraw();
  }
  refuse(*reason);
  if (!state_.head_sent) return run();
  cut();
  state_.writing = false;
  detach();
  step_ = static_cast<std::size_t>(Step::log);
  run();
}

void Request::follow(std::shared_ptr<Object> object, std::shared_ptr<Fill> fill) {
  detach();
  state_.object = std::move(object);
  state_.fill = std::move(fill);
  if (state_.object == nullptr || state_.object->state() == ObjectState::complete) return;
  following_ = true;
  state_.object->add_reader(*this);
  if (state_.fill != nullptr) state_.fill->add_watcher(*this);
}

void Request::detach() {
  if (std::exchange(following_, false)) {
    state_.object->remove_reader(*this);
    if (state_.fill != nullptr) state_.fill->remove_watcher(*this);
  }
  if (state_.token_asked && !state_.token_decision) services_.tokens.forget(*this);
  if (state_.rental_asked && !state_.rental_decision) services_.rights.forget(*this);
  if (state_.relay_asked && !state_.relayed) services_.relay.forget(*this);
}

void Request::refuse(Error error, std::string lines) {
  state_.refusal = std::move(error);
  state_.refusal_lines = std::move(lines);
}

void Request::write(ResponseStream::Piece piece) {
  state_.writing = true;
  state_.body_bytes += piece.body.size();
  stream_.write(std::move(piece));
}

void Request::cut() {
  state_.cut = true;
  stream_open_ = false;
  stream_.abort();
}

}  // namespace reelway::edge
