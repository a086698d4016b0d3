#include "origin/request/upload_receiver.h"

#include <utility>

#include "common/base/check.h"

// The model. Work items follow each other: claim, then one append a chunk, then finish. While an item runs it owns the
// sink. When an item ends, run_next() decides on the next one. After the first error (of the disk, or a body that was
// cut) the last item is the undoing: destroying the sink, which removes or keeps what it wrote and so runs on a worker
// too, before the client is told. So whoever got the answer may send the upload again, or go on with it, at once. A
// sink that keeps what came is first given the rest of it, unless the error was its own.

namespace reelway::origin {

struct UploadReceiver::Work {
  enum class Kind : std::uint8_t { claim, append, finish, undo };
  Kind kind = Kind::claim;
  std::unique_ptr<UploadSink> sink;
  Bytes chunk;
  std::optional<UploadStatus> status;
  std::optional<Error> error;
};

UploadReceiver::UploadReceiver(EventLoop& loop, std::unique_ptr<UploadSink> sink, Events events)
    : loop_(loop), events_(std::move(events)), sink_(std::move(sink)), keeps_parts_(sink_->keeps_parts()) {}

void UploadReceiver::start() {
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

void UploadReceiver::give_way(std::function<void()> then) {
  if (ended_) return then();
  waiting_.push_back(std::move(then));
  cut({ErrorCode::upload_locked, Side::client, true, "another request has taken the upload over"});
}

void UploadReceiver::run_next() {
  if (working_ || ended_) return;
  const bool rest_is_kept = keeps_parts_ && claimed_ && !failed_ && !filling_.empty();
  if (error_ && !rest_is_kept) return undo();
  auto work = std::make_shared<Work>();
  if (!claimed_) {
    work->kind = Work::Kind::claim;
  } else if (filling_.size() >= kChunkBytes || ((complete_ || error_) && !filling_.empty())) {
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
  if (!sink_) return end(*error_);
  auto work = std::make_shared<Work>();
  work->kind = Work::Kind::undo;
  run(work);
}

void UploadReceiver::run(const std::shared_ptr<Work>& work) {
  working_ = true;
  work->sink = std::move(sink_);
  const auto self = shared_from_this();
  // The number of pieces is bounded by the connections, one each.
  loop_.run_cleanup(
      [work] {
        switch (work->kind) {
          case Work::Kind::claim:
            if (const auto claimed = work->sink->claim(); !claimed) work->error = claimed.error();
            break;
          case Work::Kind::append:
            if (const auto done = work->sink->append(work->chunk); !done) work->error = done.error();
            break;
          case Work::Kind::finish: {
            auto status = work->sink->finish();
            if (!status) {
              work->error = status.error();
            } else {
              work->status = std::move(status).value();
            }
            work->sink.reset();
            break;
          }
          case Work::Kind::undo: work->sink.reset(); break;
        }
      },
      [this, self, work] { worked(*work); });
}

void UploadReceiver::worked(Work& work) {
  working_ = false;
  sink_ = std::move(work.sink);
  claimed_ = true;
  failed_ = failed_ || work.error.has_value();
  if (work.error && !error_) error_ = std::move(work.error);
  if (work.status) return end(std::move(*work.status));
  run_next();
  if (paused_ && !ended_ && filling_.size() < kChunkBytes) {
    paused_ = false;
    if (events_.on_room) events_.on_room();
  }
}

void UploadReceiver::end(Result<UploadStatus> result) {
  CHECK(!ended_);
  ended_ = true;
  const Events events = std::exchange(events_, {});
  const auto waiting = std::exchange(waiting_, {});
  if (events.on_end) events.on_end(std::move(result));
  for (const auto& then : waiting) then();
}

}  // namespace reelway::origin
