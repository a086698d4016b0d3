#include "origin/request/computed_body.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "common/base/check.h"
#include "common/base/crc32c.h"

// The model. A piece is made on a worker and sent on the loop, never both at once: while a worker has the body, the
// connection waits for its callback, and should the connection go meanwhile, the callback's own hold on the state is
// what the worker writes to.

namespace reelway::origin {
namespace {

using Output = std::vector<std::uint8_t>;

// Reads what the maker asks for and lets it write. Returns how many bytes are in `output` now; 0 only when the segment
// is whole.
Result<std::size_t> make_piece(hls::SegmentMaker& maker, const TrackFile& file, std::span<std::uint8_t> output) {
  static thread_local std::vector<std::uint8_t> media(hls::SegmentMaker::kInputBytesMax);
  for (auto input = maker.next(); input.bytes > 0; input = maker.next()) {
    CHECK(input.bytes <= media.size());
    const std::span<std::uint8_t> target(media.data(), input.bytes);
    REELWAY_TRY(file.read(input.offset, target));
    const auto made = maker.take(target, output);
    if (!made || *made > 0) return made;
  }
  return std::size_t{0};
}

struct Piece {
  std::unique_ptr<hls::SegmentMaker> maker;
  std::shared_ptr<TrackFile> file;
  Output output;  // kOutputBytesMax from the first piece on
  std::size_t begin = 0, end = 0;
  Result<void> result;
};

class ComputedBody final : public FileBody {
 public:
  ComputedBody(EventLoop& loop, FileReader& reader, std::shared_ptr<Piece> piece, std::uint64_t bytes)
      : loop_(loop), reader_(reader), piece_(std::move(piece)), left_(bytes) {}

  std::uint64_t bytes_left() const override { return left_; }

  Turn send(int socket) override {
    Piece& piece = *piece_;
    if (piece.begin == piece.end) return Turn::cold;
    const ssize_t sent = ::send(socket, piece.output.data() + piece.begin, piece.end - piece.begin, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR ? Turn::blocked : Turn::failed;
    piece.begin += static_cast<std::size_t>(sent);
    left_ -= static_cast<std::uint64_t>(sent);
    return Turn::sent;
  }

  void warm(std::function<void(Result<void>)> ready) override {
    // What the segment reads may have left memory since it was checked.
    const auto input = piece_->maker->next();
    const TrackFile::Range range{input.offset, input.bytes};
    if (input.bytes > 0 && !piece_->file->fit_to_send(range))
      return reader_.warm(piece_->file, range, std::move(ready));
    const bool queued = loop_.run_on_worker([piece = piece_] { make(*piece); },
                                            [ready, piece = piece_, left = left_] { ready(checked(*piece, left)); });
    if (queued) return;
    loop_.post([ready] { ready(Error{ErrorCode::overloaded, Side::self, true, "too much work waits for a worker"}); });
  }

 private:
  static void make(Piece& piece) {
    piece.output.resize(hls::SegmentMaker::kOutputBytesMax);
    const auto made = make_piece(*piece.maker, *piece.file, piece.output);
    piece.result = made ? Result<void>() : made.error();
    piece.begin = 0;
    piece.end = made ? *made : 0;
  }

  // The length has been announced: a maker that gives another one is in error, and the client must not be misled.
  static Result<void> checked(const Piece& piece, std::uint64_t left) {
    if (!piece.result) return piece.result.error();
    if (piece.end > 0 && piece.end <= left) return {};
    return Error{ErrorCode::stored_data_corrupt, Side::disk, false,
                 piece.file->path() + ": a segment has another length than when it was first made"};
  }

  EventLoop& loop_;
  FileReader& reader_;
  std::shared_ptr<Piece> piece_;
  std::uint64_t left_;
};

}  // namespace

Result<SegmentFacts> find_facts(hls::SegmentMaker& maker, const TrackFile& file) {
  SegmentFacts facts;
  Output output(hls::SegmentMaker::kOutputBytesMax);
  for (;;) {
    const auto made = make_piece(maker, file, output);
    if (!made) return made.error();
    if (*made == 0) break;
    facts.crc32c = crc32c(ByteView(output.data(), *made), facts.crc32c);
    facts.bytes += *made;
  }
  facts.notes = maker.notes();
  CHECK(facts.notes.size() <= hls::SegmentMaker::kNotesBytesMax);
  return facts;
}

std::unique_ptr<FileBody> computed_body(EventLoop& loop, FileReader& reader, std::shared_ptr<TrackFile> file,
                                        std::unique_ptr<hls::SegmentMaker> maker, const SegmentFacts& facts) {
  auto piece = std::make_shared<Piece>();
  piece->maker = std::move(maker);
  piece->file = std::move(file);
  return std::make_unique<ComputedBody>(loop, reader, std::move(piece), facts.bytes);
}

}  // namespace reelway::origin
