#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/net/event_loop.h"
#include "origin/request/options.h"

namespace reelway::origin {

// The whole origin on one event loop: the control store and what is built on it, the API port and the media port.
// Made in main(), used on the loop's thread.
class OriginServer {
 public:
  // Blocks: opens the store, takes up interrupted jobs, listens. The first thing that fails is the error. The loop, the
  // clock and the source of randomness outlive the server.
  static Result<std::unique_ptr<OriginServer>> start(EventLoop& loop, OriginConfig config, const Clock& clock,
                                                     Random& random);
  ~OriginServer();
  OriginServer(const OriginServer&) = delete;
  OriginServer& operator=(const OriginServer&) = delete;

  const std::string& api_address() const;
  const std::string& media_address() const;
  const std::string& work_address() const;  // empty without a credential of workers

  // Accepts no more, lets running answers end, stops the jobs so that they resume at the next start. `done` is called
  // once, when nothing runs any more or kDrainTimeout has passed; then the server may be destroyed.
  void drain(std::function<void()> done);
  void abort();  // ends a drain at once

  static constexpr std::chrono::seconds kDrainTimeout{30};

 private:
  struct Parts;
  explicit OriginServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace reelway::origin
