#include "common/rights/replica_frames.h"

#include <gtest/gtest.h>

namespace reelway::rights {
namespace {

std::vector<Frame> one_of_each() {
  const Record record = ordered(Kind::rental, {}, 1'700'000'000);
  BucketsFrame buckets{.revision = 12, .sums = std::vector<Sum128>(kBuckets)};
  buckets.sums[17] = {1, 2};
  return {HelloFrame{"cluster-1", 0, 11},
          EventsFrame{11, 13, {{{1}, record}, {{2}, std::nullopt}}},
          BeatFrame{13, 14, 1'700'000'000'123, 3, 9, {5, 6}},
          GoneFrame{7},
          MovedFrame{"cluster-2"},
          RecordsFrame{{{{3}, 12, record}}},
          EndFrame{1, 12},
          buckets};
}

std::string all_bytes() {
  std::string bytes;
  for (const Frame& frame : one_of_each()) bytes += encode_frame(frame);
  return bytes;
}

TEST(ReplicaFrames, ComeBackWhateverThePieces) {
  const std::string bytes = all_bytes();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, bytes.size()}) {
    FrameReader reader;
    std::vector<Frame> frames;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      reader.feed(as_bytes(bytes).subspan(at, std::min(piece, bytes.size() - at)));
      while (true) {
        auto next = reader.next();
        ASSERT_TRUE(next.ok());
        if (!*next) break;
        frames.push_back(std::move(**next));
      }
    }
    EXPECT_EQ(frames, one_of_each());
    EXPECT_TRUE(reader.between_frames());
  }
}

TEST(ReplicaFrames, EveryFlippedBitIsFound) {
  for (const Frame& frame : one_of_each()) {
    const std::string good = encode_frame(frame);
    const std::size_t step = good.size() > 1000 ? 97 : 1;
    for (std::size_t bit = 0; bit < good.size() * 8; bit += step) {
      std::string damaged = good;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      FrameReader reader;
      reader.feed(as_bytes(damaged));
      const auto next = reader.next();
      // A longer length only waits for bytes that never come; nothing else may look like progress.
      EXPECT_TRUE(!next.ok() || !*next) << bit;
      if (!next.ok()) {
        EXPECT_EQ(next.error().code, ErrorCode::replica_malformed);
      }
    }
  }
}

TEST(ReplicaFrames, AFrameOverTheLimitIsRefusedBeforeItsBytesCome) {
  FrameReader reader;
  const std::array<std::uint8_t, 5> head{0x7f, 0, 0, 0, 1};
  reader.feed(head);
  EXPECT_EQ(reader.next().error().code, ErrorCode::replica_malformed);
}

TEST(ReplicaFrames, RevisionsMustRise) {
  FrameReader reader;
  reader.feed(as_bytes(encode_frame(EventsFrame{13, 13, {}})));
  EXPECT_EQ(reader.next().error().code, ErrorCode::replica_malformed);
}

}  // namespace
}  // namespace reelway::rights
