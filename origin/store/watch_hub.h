#pragma once

#include <functional>
#include <memory>
#include <string>

#include "origin/store/control_store.h"
#include "origin/store/database.h"

namespace reelway::origin {

struct WatchLimits {
  std::size_t watches_max = 64;
  Revision backlog_max = 8192;  // revisions that a watch which had caught up may fall behind before it is lost
};

// Runs the watches of one store. Thread-safe.
class WatchHub {
 public:
  WatchHub(const Database& database, const WatchLimits& limits);
  ~WatchHub();  // every watch is told that it is lost; waits for their threads to let the database go

  std::unique_ptr<Watch> add(std::string prefix, Revision from, std::function<void(const WatchMessage&)> deliver);
  void committed(Revision revision);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace reelway::origin
