#include "origin/ingest/import_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/check.h"
#include "common/base/crc32c.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/file_bytes.h"

namespace reelway::origin {
namespace {

constexpr std::string_view kMagic = "RWIP";
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kEntryBytes = 12;
constexpr std::size_t kPiece = 1u << 20;

// Less than asked for at the file's end.
Result<std::size_t> read_some(int file, const std::string& path, std::uint64_t offset, std::span<std::uint8_t> out) {
  std::size_t got = 0;
  while (got < out.size()) {
    const ssize_t count = ::pread(file, out.data() + got, out.size() - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("read", path, errno);
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  return got;
}

Bytes header_of(const ImportFile::Shape& shape) {
  ByteWriter header;
  header.append(kMagic);
  header.u32(kFormat);
  header.u64(shape.size_bytes);
  header.u64(shape.part_bytes);
  header.u32(crc32c(as_bytes(shape.etag)));
  header.u32(crc32c(header.bytes()));
  return header.take();
}

Bytes entry_of(std::uint32_t part, std::uint32_t crc) {
  ByteWriter entry;
  entry.u32(part);
  entry.u32(crc);
  entry.u32(crc32c(entry.bytes()));
  return entry.take();
}

}  // namespace

ImportFile::ImportFile(std::string path, Shape shape) : path_(std::move(path)), shape_(std::move(shape)) {
  CHECK(shape_.size_bytes > 0 && shape_.part_bytes > 0);
  const std::uint64_t parts = (shape_.size_bytes + shape_.part_bytes - 1) / shape_.part_bytes;
  CHECK(parts <= UINT32_MAX);
  crcs_.resize(static_cast<std::size_t>(parts));
}

Result<std::unique_ptr<ImportFile>> ImportFile::open(const std::string& path, const Shape& shape) {
  std::unique_ptr<ImportFile> file(new ImportFile(path, shape));
  REELWAY_TRY(file->open_files());
  REELWAY_TRY(file->load());
  return file;
}

Result<void> ImportFile::remove(const std::string& path) {
  REELWAY_TRY(remove_all(path + ".parts"));
  return remove_all(path + ".part");
}

Result<void> ImportFile::open_files() {
  bytes_ = UniqueFd(::open((path_ + ".part").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!bytes_) return system_error("open", path_ + ".part", errno);
  list_ = UniqueFd(::open((path_ + ".parts").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!list_) return system_error("open", path_ + ".parts", errno);
  const auto size = static_cast<off_t>(shape_.size_bytes);
  if (::ftruncate(bytes_.get(), size) != 0) return system_error("truncate", path_ + ".part", errno);
  // Not every file system can: then a full disk shows at the write.
  if (::fallocate(bytes_.get(), 0, 0, size) != 0 && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINTR) {
    return system_error("allocate", path_ + ".part", errno);
  }
  return sync_folder(path_.substr(0, path_.rfind('/')));
}

Result<void> ImportFile::load() {
  const std::string list_path = path_ + ".parts";
  Bytes header(kHeaderBytes);
  const Result<std::size_t> got = read_some(list_.get(), list_path, 0, header);
  if (!got.ok()) return got.error();
  if (*got != kHeaderBytes || header != header_of(shape_)) return begin_list();
  Bytes entry(kEntryBytes);
  std::uint64_t end = kHeaderBytes;
  for (;; end += kEntryBytes) {
    const Result<std::size_t> more = read_some(list_.get(), list_path, end, entry);
    if (!more.ok()) return more.error();
    ByteReader reader(entry);
    const std::uint32_t part = reader.u32(), crc = reader.u32();
    if (*more != kEntryBytes || entry != entry_of(part, crc) || part >= crcs_.size()) break;
    if (!crcs_[part]) held_ += bytes_of(part);
    crcs_[part] = crc;
  }
  // What a crash tore off: the next entry stands in its place.
  if (::ftruncate(list_.get(), static_cast<off_t>(end)) != 0) return system_error("truncate", list_path, errno);
  return {};
}

Result<void> ImportFile::begin_list() {
  const std::string list_path = path_ + ".parts";
  if (::ftruncate(list_.get(), 0) != 0) return system_error("truncate", list_path, errno);
  REELWAY_TRY(write_all_at(list_.get(), list_path, 0, header_of(shape_)));
  if (::fdatasync(list_.get()) != 0) return system_error("fdatasync", list_path, errno);
  return {};
}

std::uint64_t ImportFile::bytes_of(std::size_t part) const {
  return std::min(shape_.part_bytes, shape_.size_bytes - offset_of(part));
}

bool ImportFile::holds(std::size_t part) const {
  const std::lock_guard hold(mutex_);
  return crcs_.at(part).has_value();
}

std::uint64_t ImportFile::bytes_held() const {
  const std::lock_guard hold(mutex_);
  return held_;
}

Result<void> ImportFile::write(std::uint64_t offset, ByteView bytes) {
  CHECK(offset + bytes.size() <= shape_.size_bytes);
  return write_all_at(bytes_.get(), path_ + ".part", offset, bytes);
}

Result<void> ImportFile::keep(std::size_t part, std::uint32_t crc) {
  if (::fdatasync(bytes_.get()) != 0) return system_error("fdatasync", path_ + ".part", errno);
  const std::lock_guard hold(mutex_);
  const off_t end = ::lseek(list_.get(), 0, SEEK_END);
  if (end < 0) return system_error("seek", path_ + ".parts", errno);
  REELWAY_TRY(write_all_at(list_.get(), path_ + ".parts", static_cast<std::uint64_t>(end),
                           entry_of(static_cast<std::uint32_t>(part), crc)));
  if (::fdatasync(list_.get()) != 0) return system_error("fdatasync", path_ + ".parts", errno);
  if (!crcs_.at(part)) held_ += bytes_of(part);
  crcs_[part] = crc;
  return {};
}

Result<bool> ImportFile::read(std::size_t part, const std::function<void(ByteView)>& take) {
  std::uint32_t crc = 0;
  // Twice, so that `take` sees only what is right: from memory the second time, as a rule.
  for (const bool give : {false, true}) {
    Bytes piece(kPiece);
    for (std::uint64_t done = 0; done < bytes_of(part);) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, bytes_of(part) - done));
      const auto got = read_some(bytes_.get(), path_ + ".part", offset_of(part) + done, std::span(piece).first(wanted));
      if (!got.ok()) return got.error();
      if (*got == 0) break;
      const ByteView view = std::span(piece).first(*got);
      if (give)
        take(view);
      else
        crc = crc32c(view, crc);
      done += *got;
    }
    const std::lock_guard hold(mutex_);
    if (crcs_.at(part) == crc) continue;
    if (crcs_[part]) held_ -= bytes_of(part);
    crcs_[part].reset();
    return false;
  }
  return true;
}

}  // namespace reelway::origin
