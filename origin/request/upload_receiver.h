#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/ingest/upload.h"
#include "origin/net/event_loop.h"

namespace reelway::origin {

// Where the body of a request goes (upload_sinks.h). Blocking: every call, its destruction too, comes on a worker, one
// at a time. Destroyed before a finish(), it undoes what came or keeps it, each kind in its own way.
class UploadSink {
 public:
  virtual ~UploadSink() = default;
  virtual Result<void> claim() = 0;  // the right to write; nothing else comes when it fails
  virtual Result<void> append(ByteView bytes) = 0;
  virtual Result<UploadStatus> finish() = 0;
  // Whether what came of a body that broke off is worth writing.
  virtual bool keeps_parts() const = 0;
};

// Carries the body of one upload from the connection to its sink, which blocks and so runs on workers, one piece of
// work at a time. Holds at most two chunks: one that a worker writes and one that fills meanwhile; when that one is
// full, add() asks for a pause. Loop thread only; lives as shared_ptr until the last work has ended.
class UploadReceiver : public std::enable_shared_from_this<UploadReceiver> {
 public:
  static constexpr std::size_t kChunkBytes = 1024 * 1024;

  struct Events {
    std::function<void()> on_room;                     // after a pause: more may be added
    std::function<void(Result<UploadStatus>)> on_end;  // once: recorded, or why not; all is undone or kept then
  };

  UploadReceiver(EventLoop& loop, std::unique_ptr<UploadSink> sink, Events events);

  void start();
  [[nodiscard]] bool add(ByteView part);  // false: pause
  void finish();                          // the body has come whole
  void cut(const Error& reason);          // it has not: on_end(reason) comes when everything is undone or kept
  void abandon();                         // the same, and nobody listens any more
  // Another request wants the upload: this one is cut. `then` comes when the upload is free.
  void give_way(std::function<void()> then);
  bool ended() const { return ended_; }

 private:
  struct Work;
  void run_next();
  void run(const std::shared_ptr<Work>& work);
  void worked(Work& work);
  void undo();
  void end(Result<UploadStatus> result);

  EventLoop& loop_;
  Events events_;
  std::vector<std::function<void()>> waiting_;  // for the upload to be free
  std::unique_ptr<UploadSink> sink_;            // on the loop only while no work runs
  const bool keeps_parts_;
  Bytes filling_;
  bool claimed_ = false;
  bool working_ = false;
  bool paused_ = false;
  bool complete_ = false;  // finish() was called
  bool failed_ = false;    // the sink did: it takes no more
  bool ended_ = false;
  std::optional<Error> error_;  // the first
};

// Which resumable uploads are receiving a body just now, at most one a connection. Loop thread only.
class ActiveUploads {
 public:
  void add(std::string upload, const std::shared_ptr<UploadReceiver>& receiver) {
    std::erase_if(active_, [](const auto& entry) { return entry.second.expired(); });
    active_[std::move(upload)] = receiver;
  }
  std::shared_ptr<UploadReceiver> find(std::string_view upload) const {
    const auto place = active_.find(upload);
    auto receiver = place == active_.end() ? nullptr : place->second.lock();
    return receiver && !receiver->ended() ? receiver : nullptr;
  }

 private:
  std::map<std::string, std::weak_ptr<UploadReceiver>, std::less<>> active_;
};

}  // namespace reelway::origin
