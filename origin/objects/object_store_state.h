#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "origin/objects/object_store.h"

namespace reelway::origin {

struct ObjectStore::State {
  ObjectStoreConfig config;
  const Clock& clock;
  Random& random;
  const ObjectStoreLimits limits;
  std::mutex mutex;
  std::vector<std::unique_ptr<HttpConnection>> idle;  // guarded by mutex

  // One attempt: an answer of 2xx, or an error. `pause` is what the server asks to wait.
  struct Attempt {
    Result<HttpAnswer> answer;
    std::chrono::milliseconds pause{0};
  };
  Attempt attempt(const ObjectRequest& request, Patience& patience, const HttpSink* sink = nullptr);
  // As often as is of use.
  Result<HttpAnswer> call(const ObjectRequest& request, Patience& patience);

  std::unique_ptr<HttpConnection> take_connection();
  void keep_connection(std::unique_ptr<HttpConnection> connection);
};

}  // namespace reelway::origin
