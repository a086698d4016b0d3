#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/ring/operation.h"

namespace reelway::ring {
class Ring;
}

namespace reelway::edge {

// Reads or writes a list of pieces through the ring, a few at a time. The buffers must live until `ended`.
class ExtentIo {
 public:
  enum class Direction : std::uint8_t { read, write };
  struct Piece {
    int fd = -1;
    std::uint64_t file_offset = 0;
    std::uint8_t* data = nullptr;  // aligned, as O_DIRECT asks
    std::size_t bytes = 0;
  };
  static constexpr std::size_t kInFlightMax = 4;

  // `piece_done(index)` after each whole piece, in any order. `ended(0)` once, in a later step of the ring's turn,
  // after all pieces; or ended(errno) after the first failure, when nothing is in flight any more. A file that ends
  // within a piece is EIO. The ExtentIo may be destroyed in `ended`, not before.
  ExtentIo(ring::Ring& ring, Direction direction, std::vector<Piece> pieces,
           std::function<void(std::size_t index)> piece_done, std::function<void(int error)> ended);
  ~ExtentIo();
  ExtentIo(const ExtentIo&) = delete;
  ExtentIo& operator=(const ExtentIo&) = delete;

  void start();
  void stop();  // begins no further piece; ended(ECANCELED) when those in flight have come

 private:
  class Slot;
  void next(Slot& slot);
  void prepare(Slot& slot);
  void advanced(Slot& slot, std::int32_t result);
  void leave(Slot& slot);

  ring::Ring& ring_;
  Direction direction_;
  std::vector<Piece> pieces_;
  std::function<void(std::size_t)> piece_done_;
  std::function<void(int)> ended_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::size_t next_piece_ = 0;
  std::size_t busy_ = 0;
  int error_ = 0;
};

}  // namespace reelway::edge
