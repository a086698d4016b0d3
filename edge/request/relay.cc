#include "edge/request/relay.h"

#include <array>
#include <optional>
#include <utility>

namespace reelway::edge {

class Relay::Call final : public UpstreamCall {
 public:
  Call(Relay& relay, const access::SessionId& of_session, std::string request_text, Waiter& asker)
      : session(of_session), waiter(&asker), relay_(relay), request_text_(std::move(request_text)) {}

  const access::SessionId session;
  Waiter* waiter;  // null when it has left
  bool beginning = true;
  std::optional<Error> failed_at_once;

  const std::string& request_text() const override { return request_text_; }
  // It is a POST, but a heartbeat that comes twice keeps the session as one does.
  bool repeatable() const override { return true; }

  bool head(const http::ResponseHead& head) override {
    answer_.status = head.status;
    answer_.content_type = head.headers.find("Content-Type").value_or("application/json");
    return true;
  }

  std::span<std::uint8_t> room() override { return room_; }

  bool advanced(std::size_t bytes) override {
    if (answer_.body.size() + bytes > kAnswerBytesMax) {
      relay_.end(*this, Error{ErrorCode::upstream_failed, Side::upstream, false, "an answer of over 16 KiB"});
      return false;
    }
    answer_.body += as_text(ByteView(room_).first(bytes));
    return true;
  }

  void ended() override { relay_.end(*this, std::move(answer_)); }

  void failed(Error error) override {
    if (beginning) {
      failed_at_once = std::move(error);
    } else {
      relay_.end(*this, std::move(error));
    }
  }

 private:
  Relay& relay_;
  const std::string request_text_;
  RelayedAnswer answer_;
  std::array<std::uint8_t, 4096> room_{};
};

Relay::Relay(Upstream& upstream) : upstream_(upstream) {}
Relay::~Relay() = default;

Result<void> Relay::begin(const access::SessionId& session, std::string request_text, Waiter& waiter) {
  if (calls_.size() >= kCallsMax) {
    ++counters_.refused;
    return Error{ErrorCode::overloaded, Side::self, true, "too many heartbeats are under way"};
  }
  if (!sessions_.insert(session).second) {
    ++counters_.refused;
    return Error{ErrorCode::overloaded, Side::client, true, "the session's heartbeat before is under way still"};
  }
  ++counters_.calls;
  auto made = std::make_unique<Call>(*this, session, std::move(request_text), waiter);
  Call& call = *made;
  calls_.emplace(&call, std::move(made));
  by_waiter_[&waiter] = &call;
  upstream_.begin(call);
  call.beginning = false;
  if (!call.failed_at_once) return {};
  const Error error = *call.failed_at_once;
  ++counters_.failures;
  by_waiter_.erase(&waiter);
  sessions_.erase(session);
  calls_.erase(&call);
  return error;
}

void Relay::forget(Waiter& waiter) {
  const auto found = by_waiter_.find(&waiter);
  if (found == by_waiter_.end()) return;
  found->second->waiter = nullptr;
  by_waiter_.erase(found);
}

void Relay::end(Call& call, Result<RelayedAnswer> answer) {
  if (!answer.ok()) ++counters_.failures;
  const auto owned = calls_.extract(&call);  // until the waiter has been told
  sessions_.erase(call.session);
  Waiter* waiter = call.waiter;
  if (waiter == nullptr) return;
  by_waiter_.erase(waiter);
  waiter->relayed(std::move(answer));
}

}  // namespace reelway::edge
