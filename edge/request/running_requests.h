#pragma once

#include <cstddef>

namespace reelway::edge {

// A request whose answer depends on a rental, while it runs. In the list from its authorization to its end.
class RunningRequest {
 public:
  RunningRequest() = default;
  virtual ~RunningRequest() = default;
  RunningRequest(const RunningRequest&) = delete;
  RunningRequest& operator=(const RunningRequest&) = delete;

  // Looks at the rental again, and ends the answer when it no longer holds. May leave the list within the call.
  virtual void recheck_rental() = 0;

 private:
  friend class RunningRequests;
  RunningRequest* previous_ = nullptr;
  RunningRequest* next_ = nullptr;
};

// Joining and leaving cost a few pointers, since every request does both; only the sweep walks. One ring thread.
class RunningRequests {
 public:
  void join(RunningRequest& request);
  void leave(RunningRequest& request);
  // Has each that is in the list now look at its rental again.
  void recheck_all();
  std::size_t count() const { return count_; }

 private:
  RunningRequest* first_ = nullptr;
  RunningRequest* next_in_sweep_ = nullptr;  // so that whoever leaves within the sweep does not end it
  std::size_t count_ = 0;
};

}  // namespace reelway::edge
