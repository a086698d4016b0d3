#include "edge/store/extent_io.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/base/check.h"
#include "common/ring/ring.h"

// Model: up to kInFlightMax slots, each working on one piece after another. A short transfer goes on where it
// stopped. The first error stops all slots from taking further pieces; the last slot to become idle reports the end,
// deferred, because its operation is still on the stack then.

namespace reelway::edge {
namespace {

constexpr std::size_t kAlignment = 4096;

}  // namespace

class ExtentIo::Slot final : public ring::Operation {
 public:
  explicit Slot(ExtentIo& io) : io_(io) {}

  std::size_t piece = 0;
  std::size_t done_bytes = 0;

 private:
  void completed(std::int32_t result, std::uint32_t) override { io_.advanced(*this, result); }
  ExtentIo& io_;
};

ExtentIo::ExtentIo(ring::Ring& ring, Direction direction, std::vector<Piece> pieces,
                   std::function<void(std::size_t)> piece_done, std::function<void(int)> ended)
    : ring_(ring),
      direction_(direction),
      pieces_(std::move(pieces)),
      piece_done_(std::move(piece_done)),
      ended_(std::move(ended)) {}

ExtentIo::~ExtentIo() = default;

void ExtentIo::start() {
  CHECK(slots_.empty() && !pieces_.empty());
  for (std::size_t i = 0; i < std::min(kInFlightMax, pieces_.size()); ++i) {
    slots_.push_back(std::make_unique<Slot>(*this));
    ++busy_;
  }
  for (auto& slot : slots_) next(*slot);
}

void ExtentIo::stop() {
  if (error_ == 0) error_ = ECANCELED;
}

void ExtentIo::next(Slot& slot) {
  if (error_ != 0 || next_piece_ == pieces_.size()) return leave(slot);
  slot.piece = next_piece_++;
  slot.done_bytes = 0;
  prepare(slot);
}

void ExtentIo::prepare(Slot& slot) {
  const Piece& piece = pieces_[slot.piece];
  const std::span<std::uint8_t> left{piece.data + slot.done_bytes, piece.bytes - slot.done_bytes};
  const std::uint64_t offset = piece.file_offset + slot.done_bytes;
  if (direction_ == Direction::read) {
    ring_.read(slot, piece.fd, left, offset);
  } else {
    ring_.write(slot, piece.fd, left, offset);
  }
}

void ExtentIo::advanced(Slot& slot, std::int32_t result) {
  if (result == -EINTR || result == -EAGAIN) return error_ == 0 ? prepare(slot) : leave(slot);
  if (result < 0) {
    if (error_ == 0) error_ = -result;
    return leave(slot);
  }
  slot.done_bytes += static_cast<std::size_t>(result);
  if (slot.done_bytes == pieces_[slot.piece].bytes) {
    // Also after an error elsewhere: what has come whole is of use to a reader.
    piece_done_(slot.piece);
    return next(slot);
  }
  // Past the end of a file: nothing, or a rest that O_DIRECT could not go on from.
  if (result == 0 || slot.done_bytes % kAlignment != 0) {
    if (error_ == 0) error_ = EIO;
    return leave(slot);
  }
  prepare(slot);
}

void ExtentIo::leave(Slot&) {
  if (--busy_ > 0) return;
  ring_.defer([this] {
    const auto ended = std::move(ended_);  // it may destroy this
    ended(error_);
  });
}

}  // namespace reelway::edge
