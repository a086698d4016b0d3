#pragma once

#include <functional>
#include <optional>

#include "common/base/result.h"
#include "common/rights/replica_frames.h"

namespace reelway::edge {

// Takes an answer apart that holds a set of records: a snapshot, a bucket, one entitlement.
//
//   [HELLO] RECORDS... END
//
// END tells how many records there were and a revision that none is above; an answer for which that is not so is
// refused as a whole.
class RecordsAnswer {
 public:
  using Take = std::function<Result<void>(const rights::ReplicaRecord& record)>;
  explicit RecordsAnswer(Take take) : take_(std::move(take)) {}

  // True when the answer is whole. replica_malformed, or what `take` says.
  Result<bool> frame(const rights::Frame& frame);
  const std::optional<rights::HelloFrame>& hello() const { return hello_; }
  rights::Revision end_revision() const { return end_revision_; }

 private:
  Take take_;
  std::optional<rights::HelloFrame> hello_;
  std::uint64_t records_ = 0;
  rights::Revision newest_ = 0;
  rights::Revision end_revision_ = 0;
  bool done_ = false;
};

}  // namespace reelway::edge
