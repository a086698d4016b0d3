#include "origin/request/file_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace reelway::origin {
namespace {

// Shorter than asked for when the file has ended or cannot be read.
std::shared_ptr<const std::string> read_piece(int file, std::uint64_t offset, std::size_t count) {
  auto piece = std::make_shared<std::string>(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got = ::pread(file, piece->data() + have, count - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  piece->resize(have);
  return piece;
}

}  // namespace

void FileStream::begin(std::function<void()> more) {
  more_ = std::move(more);
  ::posix_fadvise(file_.get(), static_cast<off_t>(offset_), 0, POSIX_FADV_SEQUENTIAL);
  read_ahead();
}

StreamBody::Piece FileStream::take() {
  if (failed_) return {Piece::Kind::cut, nullptr};
  if (piece_ == nullptr) return {reading_ ? Piece::Kind::nothing_yet : Piece::Kind::end, nullptr};
  Piece piece{Piece::Kind::bytes, std::move(piece_)};
  piece_ = nullptr;
  read_ahead();
  return piece;
}

void FileStream::leave() {
  more_ = nullptr;
}

void FileStream::read_ahead() {
  if (reading_ || offset_ >= end_) return;
  reading_ = true;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, end_ - offset_));
  const auto read = std::make_shared<std::shared_ptr<const std::string>>();
  const auto self = shared_from_this();
  // Bounded by the connections, one each.
  loop_.run_cleanup([this, self, read, count] { *read = read_piece(file_.get(), offset_, count); },
                    [this, self, read, count] {
                      reading_ = false;
                      failed_ = (*read)->size() < count;
                      offset_ += (*read)->size();
                      if (!failed_) piece_ = *read;
                      if (more_) more_();
                    });
}

}  // namespace reelway::origin
