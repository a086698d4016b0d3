#include "origin/request/pieced_body.h"

#include <sys/socket.h>

#include <cerrno>

#include "common/base/check.h"

namespace reelway::origin {
namespace {

class PiecedBody final : public FileBody {
 public:
  PiecedBody(FileReader& reader, std::shared_ptr<TrackFile> file, std::vector<hls::FilePiece> pieces)
      : reader_(reader), file_(std::move(file)), pieces_(std::move(pieces)) {
    for (const hls::FilePiece& piece : pieces_) left_ += piece.header.size() + piece.file_bytes;
  }

  std::uint64_t bytes_left() const override { return left_; }

  Turn send(int socket) override {
    CHECK(piece_ < pieces_.size());
    if (header_sent_ < pieces_[piece_].header.size()) return send_header(socket);
    if (range_ == nullptr) open_range();
    const std::uint64_t before = range_->bytes_left();
    const Turn turn = range_->send(socket);
    left_ -= before - range_->bytes_left();
    if (range_->bytes_left() == 0) next_piece();
    return turn;
  }

  void warm(std::function<void(Result<void>)> ready) override {
    CHECK(range_ != nullptr);
    range_->warm(std::move(ready));
  }

 private:
  Turn send_header(int socket) {
    const Bytes& header = pieces_[piece_].header;
    const ssize_t sent =
        ::send(socket, header.data() + header_sent_, header.size() - header_sent_, MSG_NOSIGNAL | MSG_MORE);
    if (sent < 0) return errno == EAGAIN || errno == EINTR ? Turn::blocked : Turn::failed;
    header_sent_ += static_cast<std::size_t>(sent);
    left_ -= static_cast<std::uint64_t>(sent);
    if (header_sent_ == header.size() && pieces_[piece_].file_bytes == 0) next_piece();
    return Turn::sent;
  }

  void open_range() {
    const hls::FilePiece& piece = pieces_[piece_];
    range_ = reader_.body(file_, {piece.file_offset, piece.file_bytes});
  }

  void next_piece() {
    range_ = nullptr;
    header_sent_ = 0;
    ++piece_;
  }

  FileReader& reader_;
  std::shared_ptr<TrackFile> file_;
  std::vector<hls::FilePiece> pieces_;  // each with a header
  std::size_t piece_ = 0;
  std::size_t header_sent_ = 0;  // of the piece
  std::unique_ptr<FileBody> range_;
  std::uint64_t left_ = 0;
};

}  // namespace

std::unique_ptr<FileBody> pieced_body(FileReader& reader, std::shared_ptr<TrackFile> file,
                                      std::vector<hls::FilePiece> pieces) {
  return std::make_unique<PiecedBody>(reader, std::move(file), std::move(pieces));
}

}  // namespace reelway::origin
