#include "origin/ingest/progress_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/base/check.h"
#include "common/base/crc32c.h"

namespace reelway::origin {
namespace {

constexpr std::uint32_t kMagic = 0x5257'5550;  // "RWUP"
constexpr std::uint32_t kFormat = 1;
// Each slot in a page of its own: no write of the disk touches both.
constexpr std::array<off_t, 2> kSlotPlaces = {0, 4096};
constexpr std::size_t kSummedBytes = kProgressSlotBytes - 4;

Result<Bytes> read_slot(int file, const std::string& path, off_t place) {
  Bytes slot(kProgressSlotBytes);
  ssize_t count = 0;
  do {
    count = ::pread(file, slot.data(), slot.size(), place);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return system_error("read", path, errno);
  slot.resize(static_cast<std::size_t>(count));
  return slot;
}

// The newer slot. `written` says whether the file has ever been written to.
Result<std::optional<UploadProgress>> newest(int file, const std::string& path, bool& written) {
  std::optional<UploadProgress> found;
  for (const off_t place : kSlotPlaces) {
    const Result<Bytes> slot = read_slot(file, path, place);
    if (!slot.ok()) return slot.error();
    written = written || !slot->empty();
    const std::optional<UploadProgress> progress = parse_progress(*slot);
    if (progress && (!found || progress->sequence > found->sequence)) found = progress;
  }
  return found;
}

}  // namespace

Bytes encode_progress(const UploadProgress& progress) {
  ByteWriter slot;
  slot.u32(kMagic);
  slot.u32(kFormat);
  slot.u64(progress.sequence);
  slot.u64(static_cast<std::uint64_t>(progress.written_at_ms));
  slot.u64(progress.sum.bytes);
  for (const std::uint32_t word : progress.sum.words) slot.u32(word);
  slot.append(ByteView(progress.sum.tail));
  slot.u32(crc32c(slot.bytes()));
  CHECK(slot.size() == kProgressSlotBytes);
  return slot.take();
}

std::optional<UploadProgress> parse_progress(ByteView slot) {
  if (slot.size() != kProgressSlotBytes) return std::nullopt;
  ByteReader fields(slot);
  if (fields.u32() != kMagic || fields.u32() != kFormat) return std::nullopt;
  UploadProgress progress;
  progress.sequence = fields.u64();
  progress.written_at_ms = fields.i64();
  progress.sum.bytes = fields.u64();
  for (std::uint32_t& word : progress.sum.words) word = fields.u32();
  const ByteView tail = fields.take(progress.sum.tail.size());
  std::copy(tail.begin(), tail.end(), progress.sum.tail.begin());
  if (fields.u32() != crc32c(slot.first(kSummedBytes))) return std::nullopt;
  return progress;
}

Result<ProgressFile> ProgressFile::open(const std::string& path) {
  ProgressFile opened;
  opened.path_ = path;
  opened.file_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!opened.file_) return system_error("open", path, errno);
  bool written = false;
  const Result<std::optional<UploadProgress>> last = newest(opened.file_.get(), path, written);
  if (!last.ok()) return last.error();
  if (last->has_value()) opened.sequence_ = (*last)->sequence;
  return opened;
}

Result<std::optional<UploadProgress>> ProgressFile::read(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::optional<UploadProgress>();
  if (!file) return system_error("open", path, errno);
  bool written = false;
  Result<std::optional<UploadProgress>> last = newest(file.get(), path, written);
  if (!last.ok() || last->has_value() || !written) return last;
  // Only the very first write may be cut off with no slot before it: then nothing was promised yet.
  struct stat info {};
  if (::fstat(file.get(), &info) == 0 && info.st_size <= static_cast<off_t>(kProgressSlotBytes)) return last;
  return Error{ErrorCode::stored_data_corrupt, Side::disk, false, path + ": neither slot can be read"};
}

Result<void> ProgressFile::write(UploadProgress progress) {
  progress.sequence = ++sequence_;
  const Bytes slot = encode_progress(progress);
  const off_t place = kSlotPlaces[(progress.sequence - 1) % kSlotPlaces.size()];
  ssize_t count = 0;
  do {
    count = ::pwrite(file_.get(), slot.data(), slot.size(), place);
  } while (count < 0 && errno == EINTR);
  if (count != static_cast<ssize_t>(slot.size())) return system_error("write", path_, count < 0 ? errno : ENOSPC);
  if (::fdatasync(file_.get()) != 0) return system_error("fdatasync", path_, errno);
  return {};
}

}  // namespace reelway::origin
