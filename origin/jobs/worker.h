#pragma once

#include <cstddef>
#include <memory>

#include "origin/jobs/task_source.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

// Makes parts, as many at once as it has slots, each on a thread of its own; one more thread keeps their claims alive.
// A claim that is lost ends its media tool.
class Worker {
 public:
  struct Options {
    std::size_t slots = 1;
    TranscodeOptions transcode;
  };
  Worker(TaskSource& source, Options options);
  ~Worker();  // stop()

  void start();
  // Kills running media tools and gives their parts back. Idempotent.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
