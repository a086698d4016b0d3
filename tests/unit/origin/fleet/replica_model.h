#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/rights/replica_frames.h"
#include "common/rights/state_digest.h"

namespace reelway::origin {

inline std::vector<rights::Frame> frames_of(std::string_view bytes) {
  rights::FrameReader reader;
  reader.feed(as_bytes(bytes));
  std::vector<rights::Frame> frames;
  while (true) {
    auto frame = reader.next();
    if (!frame) ADD_FAILURE() << describe(frame.error());
    if (!frame || !*frame) break;
    frames.push_back(**frame);
  }
  EXPECT_TRUE(reader.between_frames());
  return frames;
}

// What an edge does with frames, as plainly as it can be written down. Every breach of the protocol is a failure.
class ReplicaModel {
 public:
  void apply(const rights::Frame& frame) {
    std::visit([this](const auto& content) { take(content); }, frame);
  }
  void apply(std::string_view bytes) {
    for (const rights::Frame& frame : frames_of(bytes)) apply(frame);
  }

  rights::Revision position = -1;  // none yet
  rights::Revision comparable_from = 0;
  std::string cluster;
  std::map<rights::EntitlementId, rights::ReplicaRecord> records;
  std::uint64_t events = 0;
  std::uint64_t beats_compared = 0;
  bool ended = false;  // by END
  bool gone = false;
  bool moved = false;

  rights::Sum128 root() const {
    rights::StateDigest digest;
    for (const auto& [id, held] : records) digest.add(id, held.record, held.mod_revision);
    return digest.root();
  }

 private:
  void take(const rights::HelloFrame& hello) {
    cluster = hello.cluster;
    if (position >= 0) {
      EXPECT_EQ(hello.revision, position);
    }
    position = hello.revision;
  }
  void take(const rights::EventsFrame& frame) {
    EXPECT_EQ(frame.previous, position) << "a hole or a repetition";
    EXPECT_GT(frame.revision, position);
    position = frame.revision;
    ++events;
    for (const rights::ReplicaChange& change : frame.changes) {
      const auto held = records.find(change.id);
      if (held != records.end() && held->second.mod_revision >= frame.revision) continue;
      if (change.record) {
        records[change.id] = {change.id, frame.revision, *change.record};
      } else if (held != records.end()) {
        records.erase(held);
      }
    }
  }
  void take(const rights::BeatFrame& beat) {
    EXPECT_EQ(beat.previous, position);
    position = beat.revision;
    if (position < comparable_from) return;
    EXPECT_EQ(beat.records, records.size()) << "at revision " << beat.revision;
    EXPECT_EQ(hex_text(beat.root), hex_text(root())) << "at revision " << beat.revision;
    ++beats_compared;
  }
  void take(const rights::GoneFrame&) { gone = true; }
  void take(const rights::MovedFrame&) { moved = true; }
  void take(const rights::RecordsFrame& frame) {
    for (const rights::ReplicaRecord& record : frame.records) {
      EXPECT_TRUE(records.emplace(record.id, record).second) << "twice in a snapshot";
      highest_ = std::max(highest_, record.mod_revision);
    }
    sent_ += frame.records.size();
  }
  void take(const rights::EndFrame& end) {
    EXPECT_EQ(end.records, sent_);
    EXPECT_GE(end.revision, highest_);
    comparable_from = end.revision;
    ended = true;
  }
  void take(const rights::BucketsFrame&) {}

  std::uint64_t sent_ = 0;
  rights::Revision highest_ = 0;
};

}  // namespace reelway::origin
