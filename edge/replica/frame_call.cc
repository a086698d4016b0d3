#include "edge/replica/frame_call.h"

#include <utility>

namespace reelway::edge {
namespace {

Error refusal(const http::ResponseHead& head) {
  const std::string name(head.headers.find("Reelway-Error").value_or(""));
  const ErrorCode code = name == "replica_not_ready" ? ErrorCode::replica_not_ready : ErrorCode::upstream_failed;
  std::string detail = "status " + std::to_string(head.status);
  if (!name.empty()) detail += ", " + name;
  return {code, Side::upstream, true, std::move(detail)};
}

}  // namespace

std::shared_ptr<FrameCall> FrameCall::begin(ring::Ring& ring, Upstream& upstream, std::string request_text,
                                            OnFrame on_frame, OnEnd on_end) {
  const std::shared_ptr<FrameCall> call(new FrameCall(ring, std::move(request_text)));
  call->on_frame_ = std::move(on_frame);
  call->on_end_ = std::move(on_end);
  call->self_ = call;
  upstream.begin(*call);
  call->beginning_ = false;
  return call;
}

void FrameCall::abandon() {
  abandoned_ = true;
}

bool FrameCall::head(const http::ResponseHead& head) {
  const auto self = self_;
  if (!abandoned_ && head.status == 200) return true;
  end(refusal(head));
  return false;
}

bool FrameCall::advanced(std::size_t bytes) {
  const auto self = self_;
  if (!abandoned_) reader_.feed(ByteView(room_).first(bytes));
  while (!abandoned_) {
    auto frame = reader_.next();
    if (!frame.ok()) {
      end(std::move(frame).error());
      return false;
    }
    if (!*frame) return true;
    on_frame_(std::move(**frame));
  }
  end({});
  return false;
}

void FrameCall::ended() {
  if (reader_.between_frames()) return end({});
  end(Error{ErrorCode::upstream_truncated, Side::upstream, true, "the answer ends within a frame"});
}

void FrameCall::failed(Error error) {
  if (!beginning_) return end(std::move(error));
  ring_.defer([self = self_, error = std::move(error)] { self->end(error); });
}

// The functions may be what keeps their owner's parts alive, so they go with the call, not within one of them.
void FrameCall::end(Result<void> outcome) {
  const auto self = std::exchange(self_, nullptr);
  if (self == nullptr) return;
  if (!std::exchange(abandoned_, true)) on_end_(std::move(outcome));
}

}  // namespace reelway::edge
