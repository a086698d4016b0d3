#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/access/play_path.h"
#include "common/base/clock.h"
#include "edge/net/exchange.h"
#include "edge/policy/cache_key.h"
#include "edge/policy/cache_status.h"
#include "edge/replica/rights.h"
#include "edge/request/answer.h"
#include "edge/request/fill.h"
#include "edge/request/hand_over.h"
#include "edge/request/relay.h"
#include "edge/request/running_requests.h"
#include "edge/request/services.h"
#include "edge/request/site.h"
#include "edge/request/token_authority.h"
#include "edge/store/object.h"

namespace reelway::edge {

// What a step leaves behind for the machine:
//   next  go on to the following step
//   wait  something outside must happen; when it does, the same step is run again
//   anew  what was awaited is not for this request: back to the look-up. The only way back there is
//   done  the request is over
enum class Verdict : std::uint8_t { next, wait, anew, done };

// What the steps share about one request. A new one for each.
struct RequestState {
  // receive
  Clock::Monotonic began;
  bool head_only = false;
  access::PlayPath path;            // views into the stream's request
  std::string cors_lines;           // for whatever the answer will be
  bool heartbeat = false;           // a player's POST: `path` has a token and a title only
  std::unique_ptr<SiteState> site;  // null for what belongs to films

  // authorize
  bool token_asked = false;
  std::optional<Result<Grant>> token_decision;
  bool rental_asked = false;
  std::optional<Result<void>> rental_decision;

  // relay
  bool relay_asked = false;
  std::optional<Result<RelayedAnswer>> relayed;

  // hand over: to the ring where the object is at home, from which the request then comes as a guest
  bool is_guest = false;
  std::shared_ptr<HandOver> handed_over;
  bool handed_over_ended = false;

  // lookup, collapse, fetch, store
  std::string view{kViewAll};  // that the object is looked up and asked for in
  Coding coding = Coding::identity;
  std::string key;
  std::shared_ptr<Object> object;
  std::shared_ptr<Fill> fill;  // null for a hit in memory
  bool leads = false;          // this request began the fill
  bool stored_was_stale = false;
  CacheOutcome outcome = CacheOutcome::none;
  bool stored = false;

  // What is answered instead of an object, from whatever step: a whole answer, or a refusal.
  std::string ready_answer;
  std::uint16_t ready_status = 204;
  std::optional<Error> refusal;
  std::string refusal_lines;  // further header lines, each with its end

  // deliver
  AnswerPlan plan;
  bool head_sent = false;
  bool plan_sent = false;  // the head was that of an object, by the plan
  bool writing = false;
  bool last_written = false;  // nothing is left to write after the piece in flight
  bool keep_alive = true;
  bool cut = false;          // the client did not get the whole answer
  std::uint64_t offset = 0;  // of the next byte of the object to send
  std::uint64_t body_bytes = 0;
};

// One request at a time of one connection, as a run through the table of steps (steps.h). Only this class moves from
// step to step; what it waits for calls back into it, and it runs the step at which it waits again.
class Request final : public Exchange,
                      private Object::Reader,
                      private Fill::Watcher,
                      private TokenAuthority::Waiter,
                      private Rights::Waiter,
                      private Relay::Waiter,
                      private HandOver::Sender,
                      private RunningRequest {
 public:
  Request(Services& services, ResponseStream& stream);
  ~Request() override;

  void begin() override;
  // As a guest: another ring has found that it may be answered.
  void begin_handed(const std::optional<Grant>& grant, Clock::Monotonic began);
  void written() override;
  void client_gone() override;

  // For the steps.
  RequestState& state() { return state_; }
  Services& services() { return services_; }
  ResponseStream& stream() { return stream_; }
  TokenAuthority::Waiter& token_waiter() { return *this; }
  Rights::Waiter& rights_waiter() { return *this; }
  Relay::Waiter& relay_waiter() { return *this; }
  Object::Reader& object_reader() { return *this; }
  const Grant& grant() const { return **state_.token_decision; }  // once it has been decided well
  // From here to the end of the request its title, and its rental if it has one, are looked at again and again.
  void hold_rental();
  void hand_over(std::size_t home);
  // Takes the object in hand and follows its progress and its fill's; replaces what was followed before.
  void follow(std::shared_ptr<Object> object, std::shared_ptr<Fill> fill);
  void refuse(Error error, std::string lines = {});
  void write(ResponseStream::Piece piece);
  // Cuts an answer whose head has been sent already.
  void cut();

 private:
  void object_advanced() override { run(); }
  void fetch_began() override { run(); }
  void interim(const http::ResponseHead& head) override;
  void token_decided(Result<Grant> decision) override;
  std::optional<ClientAddress> client_address() const override { return stream_.peer_address(); }
  void rights_decided(Result<void> decision) override;
  void relayed(Result<RelayedAnswer> answer) override;
  void handed_piece(ResponseStream::Piece piece) override;
  void handed_finished(bool keep_alive) override;
  void handed_cut() override;
  void recheck_rental() override;
  std::optional<Error> no_longer_allowed();

  void start();
  void run();
  void end_here();
  bool run_steps();
  void forget_found();
  void detach();

  Services& services_;
  ResponseStream& stream_;
  std::size_t step_ = 0;
  bool active_ = false;
  bool running_ = false;
  bool woken_ = false;
  bool stream_open_ = false;  // the stream still takes calls for this request
  bool following_ = false;
  bool holds_rental_ = false;
  RequestState state_;
};

}  // namespace reelway::edge
