#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "edge/replica/frame_call.h"
#include "edge/replica/records_answer.h"
#include "edge/replica/replica_copy.h"
#include "edge/replica/replica_writer.h"

namespace reelway::edge {

// Makes a replica whose digest is not the origin's whole again: asks for the sums of all buckets, then for the records
// of each bucket that differs, one after another, while the change stream goes on. Buckets that the stream changed
// between the origin's sums and ours differ too; merging them changes nothing. One ring thread; destroying it ends it.
class BucketRepair {
 public:
  struct Outcome {
    std::size_t buckets = 0;       // that were merged
    bool too_many_differ = false;  // more than buckets_max; none was merged
    rights::Revision comparable_from = 0;
  };
  // Not from inside begin(). The repair may be destroyed by it.
  using Done = std::function<void(Result<Outcome> outcome)>;

  BucketRepair(ring::Ring& ring, Upstream& upstream, const RequestHead& request_head, ReplicaCopy& copy,
               ReplicaWriter& writer, std::uint32_t shard, std::size_t buckets_max);
  ~BucketRepair();

  void begin(Done done);

 private:
  void call(std::string_view path, FrameCall::OnFrame on_frame);
  void take_sums(const rights::Frame& frame);
  void next_bucket();
  void take_bucket_frame(const rights::Frame& frame);
  void merge();
  void finish(Result<Outcome> outcome);

  ring::Ring& ring_;
  Upstream& upstream_;
  const RequestHead& request_head_;
  ReplicaCopy& copy_;
  ReplicaWriter& writer_;
  const std::string shard_query_;
  const std::size_t buckets_max_;
  Done done_;
  Outcome outcome_;
  std::vector<std::size_t> differing_;  // the last is the one under way
  std::optional<RecordsAnswer> answer_;
  std::vector<rights::ReplicaRecord> records_;
  std::shared_ptr<FrameCall> call_;
};

}  // namespace reelway::edge
