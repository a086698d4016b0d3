#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/ingest/upload.h"
#include "origin/net/event_loop.h"

namespace reelway::origin {

// Carries the body of one upload from the connection to its writer, which blocks and so runs on workers, one piece of
// work at a time. Holds at most two chunks: one that a worker writes and one that fills meanwhile; when that one is
// full, add() asks for a pause. Loop thread only; lives as shared_ptr until the last work has ended.
class UploadReceiver : public std::enable_shared_from_this<UploadReceiver> {
 public:
  static constexpr std::size_t kChunkBytes = 1024 * 1024;

  struct Events {
    std::function<void()> on_room;                     // after a pause: more may be added
    std::function<void(Result<UploadRecord>)> on_end;  // once: recorded whole, or why not; all is undone then
  };

  UploadReceiver(EventLoop& loop, Uploads& uploads, Events events);

  // Claims the upload; `bytes` is the body's length, which must be the announced one.
  void start(std::string upload, std::uint64_t bytes);
  [[nodiscard]] bool add(ByteView part);  // false: pause
  void finish();                          // the body has come whole
  void cut(const Error& reason);          // it has not: on_end(reason) comes when everything is undone
  void abandon();                         // the same, and nobody listens any more

 private:
  struct Work;
  void run_next();
  void run(const std::shared_ptr<Work>& work);
  void worked(Work& work);
  void undo();
  void end(Result<UploadRecord> result);

  EventLoop& loop_;
  Uploads& uploads_;
  Events events_;
  std::string upload_;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<UploadWriter> writer_;  // on the loop only while no work runs
  Bytes filling_;
  bool claimed_ = false;
  bool working_ = false;
  bool paused_ = false;
  bool complete_ = false;  // finish() was called
  bool ended_ = false;
  std::optional<Error> error_;  // the first
};

}  // namespace reelway::origin
