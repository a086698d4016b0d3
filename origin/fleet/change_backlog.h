#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "common/rights/replica_frames.h"

namespace reelway::origin {

// The last frames of the change stream, encoded once for all edges: each brings a reader from one position to the next.
// Bounded by number and bytes; the oldest go first, and start() rises. Not thread-safe.
class ChangeBacklog {
 public:
  struct Limits {
    std::size_t frames_max = 65'536;
    std::size_t bytes_max = 32ULL * 1024 * 1024;
  };

  explicit ChangeBacklog(const Limits& limits) : limits_(limits) {}

  // Empty from here on, and complete for readers at `start` or later.
  void reset(rights::Revision start);
  // EVENTS or BEAT of a revision above end(); `previous` is filled in.
  void add(rights::EventsFrame frame);
  void add(rights::BeatFrame frame);

  // The oldest position from which a reader can go on, and the one to which the last frame brings it.
  rights::Revision start() const { return start_; }
  rights::Revision end() const { return entries_.empty() ? start_ : entries_.back().revision; }

  // The frames that follow a position from start() on, as many as fit in about `bytes`, at least one; nothing when
  // there is none.
  struct Piece {
    std::shared_ptr<const std::string> bytes;
    rights::Revision position = 0;  // of a reader that has taken them
  };
  std::optional<Piece> after(rights::Revision position, std::size_t bytes) const;

  std::size_t frames() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    rights::Revision previous = 0;
    rights::Revision revision = 0;
    std::shared_ptr<const std::string> bytes;
  };
  void push(rights::Revision previous, rights::Revision revision, std::string bytes);

  Limits limits_;
  std::deque<Entry> entries_;
  rights::Revision start_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace reelway::origin
