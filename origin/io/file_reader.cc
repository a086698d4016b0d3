#include "origin/io/file_reader.h"

#include <sys/sendfile.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "common/telemetry/log.h"

// The model. A range travels through here in turns. Each turn first asks the TrackFile whether its bytes are fit to
// send; only then sendfile is called, so it finds every page in memory and cannot block the loop. If they are not fit,
// a worker reads the units that the turn touches and checks them, and the turn is tried again. A file stays open while
// it is in the list of recent ones or somebody sends from it.

namespace reelway::origin {
namespace {

Error too_much_work() {
  Error error;
  error.code = ErrorCode::overloaded;
  error.retry = true;
  error.detail = std::to_string(EventLoop::kWorkMax) + " pieces of work wait for a worker";
  return error;
}

}  // namespace

class RangeBody final : public FileBody {
 public:
  RangeBody(FileReader& reader, std::shared_ptr<TrackFile> file, TrackFile::Range range)
      : reader_(reader), file_(std::move(file)), range_(range) {}

  std::uint64_t bytes_left() const override { return range_.count; }

  Turn send(int socket) override {
    const TrackFile::Range turn = next_turn();
    if (!file_->fit_to_send(turn)) return Turn::cold;
    auto offset = static_cast<off_t>(turn.offset);
    const ssize_t sent = sendfile(socket, file_->descriptor(), &offset, turn.count);
    if (sent < 0) {
      if (errno == EAGAIN || errno == EINTR) return Turn::blocked;
      return Turn::failed;
    }
    if (sent == 0) return Turn::failed;  // the file became shorter
    const auto count = static_cast<std::uint64_t>(sent);
    range_.offset += count;
    range_.count -= count;
    ++reader_.counters_.sendfile_turns;
    reader_.counters_.sendfile_bytes += count;
    return Turn::sent;
  }

  void warm(std::function<void(Result<void>)> ready) override { reader_.warm(file_, range_, std::move(ready)); }

 private:
  TrackFile::Range next_turn() const { return {range_.offset, std::min(range_.count, FileReader::kTurnBytes)}; }

  FileReader& reader_;
  std::shared_ptr<TrackFile> file_;
  TrackFile::Range range_;  // what is left
};

FileReader::FileReader(EventLoop& loop, std::size_t open_files_max) : loop_(loop), open_files_max_(open_files_max) {}

std::shared_ptr<TrackFile> FileReader::find(const std::string& path) {
  const auto found = files_.find(path);
  if (found == files_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->file;
}

void FileReader::open(const std::string& path, std::uint64_t file_bytes, std::shared_ptr<const mp4::UnitTable> units,
                      OnOpen on_open) {
  struct Opening {
    std::string path;
    std::uint64_t file_bytes;
    std::shared_ptr<const mp4::UnitTable> units;
    OnOpen on_open;
    std::optional<Result<std::shared_ptr<TrackFile>>> result;
  };
  auto opening = std::make_shared<Opening>(Opening{path, file_bytes, std::move(units), std::move(on_open), {}});
  const bool queued = loop_.run_on_worker(
      [opening] { opening->result = TrackFile::open(opening->path, opening->file_bytes, std::move(opening->units)); },
      [this, opening] {
        if (opening->result->ok()) keep(opening->result->value());
        opening->on_open(std::move(*opening->result));
      });
  if (!queued) loop_.post([opening] { opening->on_open(too_much_work()); });
}

void FileReader::keep(std::shared_ptr<TrackFile> file) {
  ++counters_.files_opened;
  // Two requests may have opened the same file at once: the later one stays with its own until it ends.
  if (files_.contains(file->path())) return;
  if (recent_.size() >= open_files_max_) {
    files_.erase(recent_.back().path);
    recent_.pop_back();
  }
  const std::string path = file->path();
  recent_.push_front({path, std::move(file)});
  files_[path] = recent_.begin();
}

void FileReader::warm(const std::shared_ptr<TrackFile>& file, TrackFile::Range range,
                      std::function<void(Result<void>)> ready) {
  struct Warming {
    std::shared_ptr<TrackFile> file;
    TrackFile::Units units;
    std::function<void(Result<void>)> ready;
    Result<void> result;
  };
  auto warming = std::make_shared<Warming>(Warming{file, file->units_of(range), std::move(ready), {}});
  const bool queued =
      loop_.run_on_worker([warming] { warming->result = warming->file->read_and_check(warming->units); },
                          [this, warming] {
                            count_read(*warming->file, warming->units, warming->result);
                            if (warming->result) warming->file->mark_checked(warming->units);
                            warming->ready(warming->result);
                          });
  if (!queued) loop_.post([warming] { warming->ready(too_much_work()); });
}

void FileReader::count_read(const TrackFile& file, TrackFile::Units units, const Result<void>& result) {
  ++counters_.cold_reads;
  counters_.cold_bytes += file.range_of(units).count;
  if (result) return;
  if (result.error().code == ErrorCode::stored_data_corrupt) ++counters_.crc_failures;
  telemetry::log_error("{}", describe(result.error()));
  // An operator who restores the file puts another one in its place: the next request shall open that one.
  forget(file.path());
}

void FileReader::forget(const std::string& path) {
  const auto found = files_.find(path);
  if (found == files_.end()) return;
  recent_.erase(found->second);
  files_.erase(found);
}

std::unique_ptr<FileBody> FileReader::body(std::shared_ptr<TrackFile> file, TrackFile::Range range) {
  return std::make_unique<RangeBody>(*this, std::move(file), range);
}

}  // namespace reelway::origin
