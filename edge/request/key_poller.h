#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/ring/ring.h"
#include "common/ring/side_workers.h"
#include "common/ring/timer.h"
#include "edge/net/upstream.h"
#include "edge/request/key_set.h"

namespace reelway::edge {

struct KeyPollerOptions {
  std::function<std::string()> request_text;  // GET /.reelway/v1/keys, with the edge's credential and its state
  std::chrono::milliseconds interval{1'000};
  std::chrono::milliseconds interval_min{200};  // between polls that are asked for out of turn
  std::string file;                             // the last good document; read at the start
};

struct KeyPollCounters {
  std::uint64_t polls = 0;
  std::uint64_t failures = 0;
};

// Keeps the origin's public keys up to date and on disk, and tells the origin the edge's state with each poll; so that
// an edge that restarts while the origin is down still admits viewers. One ring thread; the file is written beside it.
class KeyPoller final : private UpstreamCall {
 public:
  class Observer {
   public:
    virtual void keys_changed(const KeySet& keys) = 0;
    virtual void keys_polled(std::uint64_t number) = 0;  // the poll has ended, well or not

   protected:
    ~Observer() = default;
  };

  KeyPoller(ring::Ring& ring, const Clock& clock, ring::SideWorkers& workers, Upstream& upstream,
            KeyPollerOptions options, Observer& observer);
  ~KeyPoller();

  // Reads the file (blocking: before the ring runs) and begins to poll. A damaged file is reported and ignored.
  void start();
  void stop();
  // Asks for a poll that begins after this moment, soon; returns its number.
  std::uint64_t poll_soon();

  // Since the last poll that brought a good document; empty before the first.
  std::optional<std::chrono::milliseconds> age() const;
  const KeyPollCounters& counters() const { return counters_; }

 private:
  const std::string& request_text() const override { return request_text_; }
  bool head(const http::ResponseHead& head) override;
  std::span<std::uint8_t> room() override;
  bool advanced(std::size_t bytes) override;
  void ended() override;
  void failed(Error error) override;

  void poll();
  void poll_ended(const std::optional<Error>& error);
  void take(KeySet keys);
  void save(const KeySet& keys);

  ring::Ring& ring_;
  const Clock& clock_;
  ring::SideWorkers& workers_;
  Upstream& upstream_;
  const KeyPollerOptions options_;
  Observer& observer_;
  KeySet keys_;
  bool running_ = false;
  bool stopped_ = false;
  bool asked_ = false;    // a poll out of turn is wanted
  bool failing_ = false;  // so that a long outage is logged once
  std::uint64_t begun_ = 0;
  std::string request_text_;
  std::uint16_t status_ = 0;
  std::size_t received_ = 0;
  std::vector<std::uint8_t> document_;
  Clock::Monotonic last_begun_;
  std::optional<Clock::Monotonic> last_good_;
  KeyPollCounters counters_;
  ring::Timer timer_;
  bool saving_ = false;
  bool save_again_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace reelway::edge
