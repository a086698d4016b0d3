#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/unique_fd.h"
#include "origin/net/event_loop.h"
#include "origin/net/stream_body.h"

namespace reelway::origin {

// A range of a file as a response's body, read a piece at a time on a worker while the one before is sent: for files
// that are read once and need not stay in memory. Loop thread only.
class FileStream final : public StreamBody, public std::enable_shared_from_this<FileStream> {
 public:
  static constexpr std::size_t kPieceBytes = 1024 * 1024;

  FileStream(EventLoop& loop, UniqueFd file, std::uint64_t offset, std::uint64_t end)
      : loop_(loop), file_(std::move(file)), offset_(offset), end_(end) {}

  void begin(std::function<void()> more) override;
  Piece take() override;
  void leave() override;

 private:
  void read_ahead();

  EventLoop& loop_;
  UniqueFd file_;
  std::uint64_t offset_;  // of the next piece to be read
  std::uint64_t end_;
  std::shared_ptr<const std::string> piece_;
  bool reading_ = false;
  bool failed_ = false;
  std::function<void()> more_;
};

}  // namespace reelway::origin
