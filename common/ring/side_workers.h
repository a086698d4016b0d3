#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace reelway::ring {

class Ring;

// Threads beside the ring for work that can block or that is long (RocksDB, signatures, opening files). A job runs
// on a worker; then `done` runs on the ring's thread. The queue is bounded: submit() says false when it is full,
// and the caller sheds the work.
class SideWorkers {
 public:
  SideWorkers(Ring& ring, std::size_t threads, std::size_t queue_max, const char* name);
  ~SideWorkers();  // waits for running jobs; queued ones are dropped with their `done`

  [[nodiscard]] bool submit(std::function<void()> job, std::function<void()> done);
  std::size_t queued() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::ring
