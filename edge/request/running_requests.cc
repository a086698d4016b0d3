#include "edge/request/running_requests.h"

#include "common/base/check.h"

namespace reelway::edge {

void RunningRequests::join(RunningRequest& request) {
  CHECK(request.previous_ == nullptr && request.next_ == nullptr && first_ != &request);
  request.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &request;
  first_ = &request;
  ++count_;
}

void RunningRequests::leave(RunningRequest& request) {
  if (next_in_sweep_ == &request) next_in_sweep_ = request.next_;
  if (request.next_ != nullptr) request.next_->previous_ = request.previous_;
  (request.previous_ != nullptr ? request.previous_->next_ : first_) = request.next_;
  request.previous_ = request.next_ = nullptr;
  --count_;
}

void RunningRequests::recheck_all() {
  for (RunningRequest* request = first_; request != nullptr; request = next_in_sweep_) {
    next_in_sweep_ = request->next_;
    request->recheck_rental();
  }
  next_in_sweep_ = nullptr;
}

}  // namespace reelway::edge
