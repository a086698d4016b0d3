#include "origin/fleet/change_backlog.h"

#include <algorithm>
#include <type_traits>
#include <variant>

#include "common/base/check.h"

// A reader's position may lie between two frames: a snapshot's revision is that of a change elsewhere in the store.
// Only its first frame is then encoded anew, with the reader's own position as the previous one; every other reader and
// every later frame shares the bytes.

namespace reelway::origin {
namespace {

std::string with_previous(const std::string& bytes, rights::Revision previous) {
  rights::FrameReader reader;
  reader.feed(as_bytes(bytes));
  auto frame = reader.next();
  CHECK(frame && *frame);  // our own encoding
  return std::visit(
      [previous](auto& content) -> std::string {
        using Content = std::decay_t<decltype(content)>;
        constexpr bool has_previous =
            std::is_same_v<Content, rights::EventsFrame> || std::is_same_v<Content, rights::BeatFrame>;
        CHECK(has_previous);
        if constexpr (has_previous) content.previous = previous;
        return rights::encode_frame(std::move(content));
      },
      **frame);
}

}  // namespace

void ChangeBacklog::reset(rights::Revision start) {
  entries_.clear();
  bytes_ = 0;
  start_ = start;
}

void ChangeBacklog::add(rights::EventsFrame frame) {
  frame.previous = end();
  push(frame.previous, frame.revision, rights::encode_frame(frame));
}

void ChangeBacklog::add(rights::BeatFrame frame) {
  frame.previous = end();
  push(frame.previous, frame.revision, rights::encode_frame(frame));
}

void ChangeBacklog::push(rights::Revision previous, rights::Revision revision, std::string bytes) {
  CHECK(revision > previous);
  bytes_ += bytes.size();
  entries_.push_back({previous, revision, std::make_shared<const std::string>(std::move(bytes))});
  while (entries_.size() > limits_.frames_max || bytes_ > limits_.bytes_max) {
    start_ = entries_.front().revision;
    bytes_ -= entries_.front().bytes->size();
    entries_.pop_front();
  }
}

std::optional<ChangeBacklog::Piece> ChangeBacklog::after(rights::Revision position, std::size_t bytes) const {
  CHECK(position >= start_);
  auto entry = std::upper_bound(entries_.begin(), entries_.end(), position,
                                [](rights::Revision at, const Entry& other) { return at < other.revision; });
  if (entry == entries_.end()) return std::nullopt;
  Piece piece;
  piece.position = entry->revision;
  piece.bytes = entry->previous == position
                    ? entry->bytes
                    : std::make_shared<const std::string>(with_previous(*entry->bytes, position));
  std::size_t size = piece.bytes->size();
  auto last = std::next(entry);
  for (; last != entries_.end() && size + last->bytes->size() <= bytes; ++last) size += last->bytes->size();
  if (last == std::next(entry)) return piece;  // one frame: shared by all who follow live
  auto joined = std::make_shared<std::string>();
  joined->reserve(size);
  joined->append(*piece.bytes);
  for (auto next = std::next(entry); next != last; ++next) joined->append(*next->bytes);
  piece.bytes = std::move(joined);
  piece.position = std::prev(last)->revision;
  return piece;
}

}  // namespace reelway::origin
