#include "edge/replica/bucket_repair.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace reelway::edge {
namespace {

Error malformed(std::string detail) {
  return {ErrorCode::replica_malformed, Side::upstream, true, std::move(detail)};
}

}  // namespace

BucketRepair::BucketRepair(ring::Ring& ring, Upstream& upstream, const RequestHead& request_head, ReplicaCopy& copy,
                           ReplicaWriter& writer, std::uint32_t shard, std::size_t buckets_max)
    : ring_(ring),
      upstream_(upstream),
      request_head_(request_head),
      copy_(copy),
      writer_(writer),
      shard_query_("?shard=" + std::to_string(shard)),
      buckets_max_(buckets_max) {}

BucketRepair::~BucketRepair() {
  if (call_) call_->abandon();
}

void BucketRepair::begin(Done done) {
  done_ = std::move(done);
  call("/.reelway/v1/replica/buckets" + shard_query_, [this](const rights::Frame& frame) { take_sums(frame); });
}

void BucketRepair::call(std::string_view path, FrameCall::OnFrame on_frame) {
  if (call_) call_->abandon();
  call_ = FrameCall::begin(
      ring_, upstream_, request_head_("GET", path), std::move(on_frame), [this](const Result<void>& outcome) {
        finish(outcome.ok() ? malformed("the answer ended before its last frame") : outcome.error());
      });
}

void BucketRepair::take_sums(const rights::Frame& frame) {
  if (std::holds_alternative<rights::HelloFrame>(frame)) return;
  const auto* sums = std::get_if<rights::BucketsFrame>(&frame);
  if (sums == nullptr) return finish(malformed("a frame without the sums of the buckets"));
  const auto& ours = copy_.table->bucket_sums();
  for (std::size_t bucket = 0; bucket < rights::kBuckets; ++bucket) {
    if (ours[bucket] != sums->sums[bucket]) differing_.push_back(bucket);
  }
  outcome_.comparable_from = sums->revision;
  outcome_.too_many_differ = differing_.size() > buckets_max_;
  if (outcome_.too_many_differ) differing_.clear();
  next_bucket();
}

void BucketRepair::next_bucket() {
  if (differing_.empty()) return finish(outcome_);
  records_.clear();
  answer_.emplace([this](const rights::ReplicaRecord& record) -> Result<void> {
    if (rights::bucket_of(record.id) != differing_.back()) return malformed("a record of another bucket");
    records_.push_back(record);
    return {};
  });
  call("/.reelway/v1/replica/bucket" + shard_query_ + "&number=" + std::to_string(differing_.back()),
       [this](const rights::Frame& frame) { take_bucket_frame(frame); });
}

void BucketRepair::take_bucket_frame(const rights::Frame& frame) {
  const auto whole = answer_->frame(frame);
  if (!whole.ok()) return finish(whole.error());
  if (answer_->hello() && answer_->hello()->cluster != copy_.cluster) {
    return finish(Error{ErrorCode::replica_moved, Side::upstream, true, answer_->hello()->cluster});
  }
  if (*whole) merge();
}

// A record that the stream erases between the origin's answer and now may come back by this: the next comparison finds
// it, and the next repair takes it away.
void BucketRepair::merge() {
  for (const auto& id : copy_.table->merge_bucket(differing_.back(), records_, answer_->end_revision())) {
    writer_.changed(id);
    if (copy_.observer != nullptr) copy_.observer->rental_changed(id);
  }
  outcome_.comparable_from = std::max(outcome_.comparable_from, answer_->end_revision());
  ++outcome_.buckets;
  differing_.pop_back();
  next_bucket();
}

void BucketRepair::finish(Result<Outcome> outcome) {
  if (call_) call_->abandon();
  const Done done = std::move(done_);
  done(std::move(outcome));  // may destroy this
}

}  // namespace reelway::edge
