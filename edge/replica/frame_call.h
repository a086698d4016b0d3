#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/rights/replica_frames.h"
#include "common/ring/ring.h"
#include "edge/net/upstream.h"

namespace reelway::edge {

// The whole head of a request to the origin, with the edge's credential and without a body.
using RequestHead = std::function<std::string(std::string_view method, std::string_view path)>;

// One request to the origin whose answer is frames. Keeps itself alive until the pool has let go of it. One ring
// thread; no function of the caller runs from inside begin().
class FrameCall final : public std::enable_shared_from_this<FrameCall>, private UpstreamCall {
 public:
  using OnFrame = std::function<void(rights::Frame frame)>;  // may abandon the call
  // Once, and nothing after it: the answer was whole, or why not. replica_malformed, replica_not_ready,
  // upstream_failed, or what the pool says.
  using OnEnd = std::function<void(Result<void> outcome)>;

  static std::shared_ptr<FrameCall> begin(ring::Ring& ring, Upstream& upstream, std::string request_text,
                                          OnFrame on_frame, OnEnd on_end);
  // No function is called any more. What is left of the answer is not read: the connection is kept when there is
  // nothing left, and goes with the next bytes otherwise.
  void abandon();

 private:
  explicit FrameCall(ring::Ring& ring, std::string request_text)
      : ring_(ring), request_text_(std::move(request_text)) {}

  const std::string& request_text() const override { return request_text_; }
  bool head(const http::ResponseHead& head) override;
  std::span<std::uint8_t> room() override { return room_; }
  bool advanced(std::size_t bytes) override;
  void ended() override;
  void failed(Error error) override;
  void end(Result<void> outcome);

  ring::Ring& ring_;
  const std::string request_text_;
  OnFrame on_frame_;
  OnEnd on_end_;
  bool beginning_ = true;
  bool abandoned_ = false;
  rights::FrameReader reader_;
  std::array<std::uint8_t, 16 * 1024> room_{};
  std::shared_ptr<FrameCall> self_;  // while the pool knows it
};

}  // namespace reelway::edge
