#include "origin/storage/quiet_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "common/base/check.h"
#include "common/base/unique_fd.h"
#include "origin/io/residency.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kPieceBytes = 1 << 20;
constexpr std::size_t kAlignment = 4096;  // of address and offset, for O_DIRECT on any disk in use

// ioprio_set(2). Written out, because the kernel's own header for them is no C++ in some of Debian's releases of it.
constexpr int kIoprioOfProcess = 1;
constexpr int kIoprioIdle = 3 << 13;

struct Free {
  void operator()(std::uint8_t* buffer) const { std::free(buffer); }
};
using Buffer = std::unique_ptr<std::uint8_t, Free>;

Buffer aligned_buffer() {
  void* memory = std::aligned_alloc(kAlignment, kPieceBytes);
  CHECK(memory != nullptr);
  return Buffer(static_cast<std::uint8_t*>(memory));
}

class Reading {
 public:
  explicit Reading(const std::string& path) : path_(path), buffer_(aligned_buffer()) {}

  Result<void> open() {
    constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
    file_ = UniqueFd(::open(path_.c_str(), kFlags | O_DIRECT));
    is_direct_ = static_cast<bool>(file_);
    if (!file_ && errno == EINVAL) file_ = UniqueFd(::open(path_.c_str(), kFlags));
    struct stat info {};
    if (!file_ || ::fstat(file_.get(), &info) != 0) return system_error("open", path_, errno);
    bytes_ = static_cast<std::uint64_t>(info.st_size);
    return is_direct_ || bytes_ == 0 ? Result<void>() : map();
  }

  // What there is of a piece that begins at an aligned offset; empty at the end.
  Result<ByteView> piece(std::uint64_t at) {
    const bool was_resident =
        residency_ && at < bytes_ && residency_->resident(at, std::min<std::uint64_t>(kPieceBytes, bytes_ - at));
    std::size_t have = 0;
    // A direct read ends short only at the end of the file.
    for (bool more = true; more && have < kPieceBytes;) {
      const ssize_t count =
          ::pread(file_.get(), buffer_.get() + have, kPieceBytes - have, static_cast<off_t>(at + have));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EINVAL && is_direct_) {
        REELWAY_TRY(give_up_direct());
        continue;
      }
      if (count < 0) return system_error("pread", path_ + " at " + std::to_string(at + have), errno);
      have += static_cast<std::size_t>(count);
      more = count > 0 && !is_direct_;
    }
    if (residency_ && !was_resident) {
      ::posix_fadvise(file_.get(), static_cast<off_t>(at), static_cast<off_t>(have), POSIX_FADV_DONTNEED);
    }
    return ByteView(buffer_.get(), have);
  }

 private:
  // Some file systems take the flag and refuse the read.
  Result<void> give_up_direct() {
    is_direct_ = false;
    const int flags = ::fcntl(file_.get(), F_GETFL);
    if (flags < 0 || ::fcntl(file_.get(), F_SETFL, flags & ~O_DIRECT) != 0) return system_error("fcntl", path_, errno);
    return map();
  }
  Result<void> map() {
    auto residency = map_residency(file_.get(), bytes_, path_.c_str());
    if (!residency.ok()) return std::move(residency).error();
    residency_ = std::move(residency).value();
    return {};
  }

  const std::string& path_;
  Buffer buffer_;
  UniqueFd file_;
  bool is_direct_ = false;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<Residency> residency_;  // when read through the page cache
};

}  // namespace

void yield_the_disk() {
  // Where the scheduler knows no classes nothing is lost: the pace still holds.
  (void)::syscall(SYS_ioprio_set, kIoprioOfProcess, 0, kIoprioIdle);
}

Result<void> read_quietly(const std::string& path, std::uint64_t offset,
                          const std::function<Result<void>(ByteView)>& use) {
  Reading reading(path);
  REELWAY_TRY(reading.open());
  std::uint64_t at = offset / kAlignment * kAlignment;
  std::size_t skip = static_cast<std::size_t>(offset - at);
  for (;;) {
    const Result<ByteView> piece = reading.piece(at);
    if (!piece.ok()) return piece.error();
    if (piece->size() > skip) REELWAY_TRY(use(piece->subspan(skip)));
    if (piece->size() < kPieceBytes) return {};
    at += piece->size();
    skip = 0;
  }
}

}  // namespace reelway::origin
