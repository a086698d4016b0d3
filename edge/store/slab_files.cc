#include "edge/store/slab_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <utility>

#include "common/base/check.h"
#include "common/telemetry/log.h"

namespace reelway::edge {
namespace {

namespace fs = std::filesystem;

Result<SlabFiles::Opened> open_file(const std::string& path) {
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC;
  SlabFiles::Opened opened;
  opened.fd.reset(::open(path.c_str(), kFlags | O_DIRECT, 0600));
  opened.is_direct = opened.fd.valid();
  if (!opened.fd && errno == EINVAL) opened.fd.reset(::open(path.c_str(), kFlags, 0600));
  if (!opened.fd) return system_error("open", path, errno);
  struct stat status {};
  if (::fstat(opened.fd.get(), &status) != 0) return system_error("fstat", path, errno);
  opened.found_bytes = static_cast<std::uint64_t>(status.st_size);
  return opened;
}

// "12.slab" -> 12
std::optional<std::size_t> slab_number(const fs::path& path) {
  const std::string stem = path.stem().string();
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
  if (path.extension() != ".slab" || error != std::errc() || end != stem.data() + stem.size()) return std::nullopt;
  return number;
}

}  // namespace

SlabFiles::SlabFiles(std::string directory, std::uint64_t capacity_bytes)
    : directory_(std::move(directory)), capacity_bytes_(capacity_bytes) {
  CHECK(capacity_bytes_ % Extent::kBytesMax == 0);
}

Result<SlabFiles> SlabFiles::open(std::string directory, std::uint64_t capacity_bytes) {
  SlabFiles files(std::move(directory), capacity_bytes);
  std::error_code failed;
  fs::create_directories(files.directory_, failed);
  if (failed) return system_error("mkdir", files.directory_, failed.value());
  REELWAY_TRY(files.remove_surplus());
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(files.directory_, failed)) {
    if (const auto number = slab_number(entry.path())) count = std::max(count, *number + 1);
  }
  if (failed) return system_error("readdir", files.directory_, failed.value());
  while (files.files_.size() < count) {
    auto made = make(files.next());
    if (!made) {
      telemetry::log_warn("edge store: {}; what lies in this slab file and those after it is dropped",
                          describe(made.error()));
      break;
    }
    files.add(std::move(made).value());
  }
  return files;
}

Result<void> SlabFiles::remove_surplus() const {
  std::error_code failed;
  std::vector<fs::path> surplus;
  for (const auto& entry : fs::directory_iterator(directory_, failed)) {
    const auto number = slab_number(entry.path());
    if (number && describe_file(*number).bytes == 0) surplus.push_back(entry.path());
  }
  for (const fs::path& path : surplus) {
    if (!failed) fs::remove(path, failed);
  }
  if (failed) return system_error("remove", directory_, failed.value());
  return {};
}

SlabFiles::Next SlabFiles::describe_file(std::size_t number) const {
  if (number > capacity_bytes_ / kSlabBytes) return {};
  const std::uint64_t start = number * kSlabBytes;
  const std::uint64_t bytes = start < capacity_bytes_ ? std::min(kSlabBytes, capacity_bytes_ - start) : 0;
  return {fmt::format("{}/{}.slab", directory_, number), bytes};
}

SlabFiles::Next SlabFiles::next() const {
  return describe_file(files_.size());
}

Result<SlabFiles::Opened> SlabFiles::make(const Next& next) {
  CHECK(next.bytes > 0);
  auto opened = open_file(next.path);
  if (!opened) return opened;
  const int fd = opened->fd.get();
  // Also for a file that has its length: a hole in it would find the disk full at a write.
  if (const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(next.bytes)); error != 0) {
    if (opened->found_bytes == 0) (void)::unlink(next.path.c_str());
    return system_error("fallocate", next.path, error);
  }
  if (opened->found_bytes > next.bytes && ::ftruncate(fd, static_cast<off_t>(next.bytes)) != 0) {
    return system_error("truncate", next.path, errno);
  }
  return opened;
}

void SlabFiles::add(Opened opened) {
  if (!opened.is_direct && is_direct_) {
    telemetry::log_warn("edge store: {} has no O_DIRECT; bodies go through the page cache", directory_);
    is_direct_ = false;
  }
  files_.push_back(std::move(opened.fd));
  found_bytes_.push_back(opened.found_bytes);
}

std::uint64_t SlabFiles::ready_bytes() const {
  return std::min(files_.size() * kSlabBytes, capacity_bytes_);
}

bool SlabFiles::was_found(const Extent& extent) const {
  const std::size_t number = extent.offset() / kSlabBytes;
  return number < files_.size() && extent.offset() % kSlabBytes + extent.bytes() <= found_bytes_[number];
}

SlabFiles::Place SlabFiles::locate(const Extent& extent) const {
  const std::size_t number = extent.offset() / kSlabBytes;
  CHECK(number < files_.size());
  return {files_[number].get(), extent.offset() % kSlabBytes};
}

}  // namespace reelway::edge
