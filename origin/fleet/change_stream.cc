#include "origin/fleet/change_stream.h"

#include <algorithm>
#include <span>
#include <utility>

namespace reelway::origin {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;  // about; a single frame may be larger
constexpr std::uint32_t kShard = 0;

StreamBody::Piece piece_of(std::string text) {
  return {StreamBody::Piece::Kind::bytes, std::make_shared<const std::string>(std::move(text))};
}

}  // namespace

ChangeStream::ChangeStream(RightsMirror& mirror, ReplicaCounters& counters, Position from)
    : mirror_(mirror), counters_(counters), from_(std::move(from)), position_(from_.revision) {}

void ChangeStream::begin(std::function<void()> more) {
  ++counters_.streams_begun;
  ++counters_.streams_open;
  subscription_ = mirror_.subscribe(std::move(more));
}

void ChangeStream::leave() {
  --counters_.streams_open;
  mirror_.unsubscribe(subscription_);
}

// An edge that has followed another store, or a store that was set back to an older state, holds what may never have
// happened here.
StreamBody::Piece ChangeStream::hello() {
  const MirrorState state = mirror_.state();
  if (!state.ready) return {Piece::Kind::cut, nullptr};  // it is loaded anew: its revision is not known yet
  greeted_ = true;
  std::string text = rights::encode_frame(rights::HelloFrame{state.cluster, kShard, position_});
  if (from_.cluster == state.cluster && from_.revision <= state.revision) return piece_of(std::move(text));
  ended_ = true;
  ++counters_.streams_moved;
  return piece_of(text + rights::encode_frame(rights::MovedFrame{state.cluster}));
}

StreamBody::Piece ChangeStream::take() {
  if (ended_) return {Piece::Kind::end, nullptr};
  if (!greeted_) return hello();
  auto next = mirror_.next(position_, kPieceBytes);
  if (next.gone) {
    ended_ = true;
    ++counters_.streams_gone;
    return piece_of(rights::encode_frame(rights::GoneFrame{next.start}));
  }
  if (!next.piece) return {};
  position_ = next.piece->position;
  return {Piece::Kind::bytes, std::move(next.piece->bytes)};
}

RecordsStream::RecordsStream(const RightsMirror& mirror, ReplicaCounters& counters, Buckets buckets)
    : mirror_(mirror), counters_(counters), buckets_(buckets), next_bucket_(buckets.first) {}

void RecordsStream::begin(std::function<void()>) {
  ++(is_snapshot() ? counters_.snapshots_begun : counters_.buckets_sent);
  load_ = mirror_.state().loads;
}

StreamBody::Piece RecordsStream::take() {
  if (ended_) return {Piece::Kind::end, nullptr};
  // Buckets read from two loads, or from one that is not proven yet, would be no state that ever was.
  const MirrorState state = mirror_.state();
  if (!state.ready || state.loads != load_) return {Piece::Kind::cut, nullptr};
  std::string text;
  if (!std::exchange(greeted_, true)) {
    text = rights::encode_frame(rights::HelloFrame{state.cluster, kShard, state.revision});
  }
  add_records(text);
  if (next_bucket_ < buckets_.first + buckets_.count) return piece_of(std::move(text));
  ended_ = true;
  if (is_snapshot()) ++counters_.snapshots_ended;
  text += rights::encode_frame(rights::EndFrame{records_, revision_});
  return piece_of(std::move(text));
}

// Small buckets share a frame; at least one bucket is taken.
void RecordsStream::add_records(std::string& text) {
  rights::RecordsFrame frame;
  const auto flush = [&] {
    if (frame.records.empty()) return;
    text += rights::encode_frame(frame);
    records_ += frame.records.size();
    counters_.records_sent += frame.records.size();
    frame.records.clear();
  };
  const std::size_t end = buckets_.first + buckets_.count;
  while (next_bucket_ < end && text.size() < kPieceBytes) {
    // The revision is that of the copy: an edge drops what it has in a repaired bucket, is not newer and was not sent.
    const RightsMirror::BucketCopy bucket = mirror_.bucket(next_bucket_++);
    revision_ = bucket.revision;
    for (const rights::ReplicaRecord& record : bucket.records) {
      frame.records.push_back(record);
      if (frame.records.size() == rights::kFrameRecordsMax) flush();
    }
  }
  flush();
}

}  // namespace reelway::origin
