#include "origin/storage/mend_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/unique_fd.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/file_bytes.h"

namespace reelway::origin {
namespace {

Result<void> check_room(const StorageOptions& options, std::uint64_t bytes) {
  const std::uint64_t available = free_bytes(options.data_dir);
  if (available >= options.free_bytes_min && available - options.free_bytes_min >= bytes) return {};
  return Error{ErrorCode::disk_full, Side::disk, true,
               "mending needs " + std::to_string(bytes >> 20) + " MiB, and " +
                   std::to_string(options.free_bytes_min >> 20) + " MiB must stay free"};
}

Result<void> fetch(const StorageParts& parts, const FileRecord& record, const std::string& path) {
  const ObjectName& name = record.copy->object;
  const Result<ObjectHead> head = parts.bucket->head(name, parts.patience);
  if (!head.ok()) return head.error();
  REELWAY_TRY(check_room(parts.options, head->size_bytes));
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return system_error("open", path, errno);
  Sha256 sum;
  const auto take = [&](ByteView bytes) -> Result<void> {
    sum.add(bytes);
    return write_all(file.get(), path, bytes);
  };
  REELWAY_TRY(parts.bucket->read_all(name, *head, take, parts.patience));
  if (sum.finish() != record.sha256) {
    return Error{ErrorCode::object_corrupt, Side::upstream, false,
                 object_url(name) + " is not what was copied: its SHA-256 is another"};
  }
  if (::fsync(file.get()) != 0) return system_error("fsync", path, errno);
  return {};
}

}  // namespace

std::string mending_folder(const StorageOptions& options) {
  return options.data_dir + "/mending";
}

Result<void> mend_file(const StorageParts& parts, const StoredFile& file, const FileRecord& record) {
  CHECK(record.copy && !record.sha256.empty());
  const bool is_known = parts.bucket != nullptr && parts.options.copy->store.name == record.copy->store;
  if (!is_known) return Error{ErrorCode::object_store_not_configured, Side::client, false, record.copy->store};
  REELWAY_TRY(make_folders(mending_folder(parts.options)));
  const std::string aside = mending_folder(parts.options) + "/" + parts.random.hex_id();
  Result<void> mended = fetch(parts, record, aside);
  if (mended.ok()) mended = move_durably(aside, file.path);
  if (!mended.ok()) return (void)remove_all(aside), mended;
  parts.on_replaced(file.path);
  return {};
}

}  // namespace reelway::origin
