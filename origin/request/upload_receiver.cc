#include "origin/request/upload_receiver.h"

#include "common/base/check.h"

// The model. Work items follow each other: claim, then one append a chunk, then finish. While an item runs it owns the
// writer. When an item ends, run_next() decides on the next one. After the first error (of the disk, or a body that was
// cut) the only item left is the undoing: destroying the writer, which removes what it wrote and so runs on a worker
// too, before the client is told. So whoever got the answer may send the upload again at once.

namespace reelway::origin {

struct UploadReceiver::Work {
  enum class Kind : std::uint8_t { claim, append, finish, undo };
  Kind kind = Kind::claim;
  std::unique_ptr<UploadWriter> writer;
  Bytes chunk;
  std::optional<UploadRecord> record;
  std::optional<Error> error;
};

namespace {

Error length_differs(ErrorCode code, std::uint64_t announced, std::uint64_t bytes) {
  Error error;
  error.code = code;
  error.side = Side::client;
  error.detail =
      "the upload was announced with " + std::to_string(announced) + " bytes, the body has " + std::to_string(bytes);
  return error;
}

Result<std::unique_ptr<UploadWriter>> claim(Uploads& uploads, const std::string& upload, std::uint64_t bytes) {
  const auto record = uploads.get(upload);
  if (!record) return record.error();
  if (bytes > record->size_bytes) return length_differs(ErrorCode::upload_too_large, record->size_bytes, bytes);
  if (bytes < record->size_bytes) return length_differs(ErrorCode::upload_incomplete, record->size_bytes, bytes);
  return uploads.write(upload);
}

}  // namespace

UploadReceiver::UploadReceiver(EventLoop& loop, Uploads& uploads, Events events)
    : loop_(loop), uploads_(uploads), events_(std::move(events)) {}

void UploadReceiver::start(std::string upload, std::uint64_t bytes) {
  upload_ = std::move(upload);
  bytes_ = bytes;
  run_next();
}

bool UploadReceiver::add(ByteView part) {
  if (error_) return true;  // read off what comes; the answer is under way
  filling_.insert(filling_.end(), part.begin(), part.end());
  run_next();
  paused_ = filling_.size() >= kChunkBytes;
  return !paused_;
}

void UploadReceiver::finish() {
  complete_ = true;
  run_next();
}

void UploadReceiver::cut(const Error& reason) {
  if (!error_) error_ = reason;
  run_next();
}

void UploadReceiver::abandon() {
  events_ = {};
  Error error;
  error.code = ErrorCode::upload_incomplete;
  error.side = Side::client;
  cut(error);
}

void UploadReceiver::run_next() {
  if (working_ || ended_) return;
  if (error_) return undo();
  auto work = std::make_shared<Work>();
  if (!claimed_) {
    work->kind = Work::Kind::claim;
  } else if (filling_.size() >= kChunkBytes || (complete_ && !filling_.empty())) {
    work->kind = Work::Kind::append;
    work->chunk.swap(filling_);
    filling_.reserve(kChunkBytes);
  } else if (complete_) {
    work->kind = Work::Kind::finish;
  } else {
    return;
  }
  run(work);
}

void UploadReceiver::undo() {
  filling_.clear();
  if (!writer_) return end(*error_);
  auto work = std::make_shared<Work>();
  work->kind = Work::Kind::undo;
  run(work);
}

void UploadReceiver::run(const std::shared_ptr<Work>& work) {
  working_ = true;
  work->writer = std::move(writer_);
  const auto self = shared_from_this();
  // The number of pieces is bounded by the connections, one each.
  loop_.run_cleanup(
      [this, self, work] {
        switch (work->kind) {
          case Work::Kind::claim: {
            auto writer = claim(uploads_, upload_, bytes_);
            if (!writer) {
              work->error = writer.error();
            } else {
              work->writer = std::move(writer).value();
            }
            break;
          }
          case Work::Kind::append:
            if (const auto done = work->writer->append(work->chunk); !done) work->error = done.error();
            break;
          case Work::Kind::finish: {
            auto record = work->writer->finish();
            if (!record) {
              work->error = record.error();
            } else {
              work->record = std::move(record).value();
            }
            work->writer.reset();
            break;
          }
          case Work::Kind::undo: work->writer.reset(); break;
        }
      },
      [this, self, work] { worked(*work); });
}

void UploadReceiver::worked(Work& work) {
  working_ = false;
  writer_ = std::move(work.writer);
  claimed_ = true;
  if (work.error && !error_) error_ = std::move(work.error);
  if (work.record) return end(std::move(*work.record));
  run_next();
  if (paused_ && !ended_ && filling_.size() < kChunkBytes) {
    paused_ = false;
    if (events_.on_room) events_.on_room();
  }
}

void UploadReceiver::end(Result<UploadRecord> result) {
  CHECK(!ended_);
  ended_ = true;
  const Events events = std::move(events_);
  events_ = {};
  if (events.on_end) events.on_end(std::move(result));
}

}  // namespace reelway::origin
