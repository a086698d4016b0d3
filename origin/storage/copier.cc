#include "origin/storage/copier.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/unique_fd.h"
#include "common/telemetry/log.h"
#include "origin/storage/verify_file.h"

// Model. A file's copy is true once its record has `copy`; before that there is at most a CopyingRecord, with the parts
// that the bucket has and the state of the sum over them. The whole file's SHA-256 is taken of the bytes as they are
// sent, and must be the known one before the object is put together: rot never becomes a copy. A version that is
// removed meanwhile refuses the record, and then the object goes again; if a crash comes between, the CopyingRecord
// tells the collector.

namespace reelway::origin {
namespace {

constexpr std::size_t kMarkerBytesMax = 4096;

Error not_as_known(const StoredFile& file) {
  return {ErrorCode::stored_data_corrupt, Side::disk, false, file.path + ": its SHA-256 is not the known one"};
}

}  // namespace

// A file as the body of a request, summed on its first way through.
struct Copier::Source {
  const StoredFile& file;
  const std::string& sha256;
  Pace& pace;
  StorageCounters& counters;
  UniqueFd descriptor{};
  std::uint64_t bytes = 0;
  Sha256 sum{};

  Result<void> open() {
    descriptor = UniqueFd(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat info {};
    if (!descriptor || ::fstat(descriptor.get(), &info) != 0) return system_error("open", file.path, errno);
    bytes = static_cast<std::uint64_t>(info.st_size);
    return {};
  }

  Result<void> read(std::uint64_t offset, std::span<std::uint8_t> out) {
    for (std::size_t have = 0; have < out.size();) {
      const ssize_t count =
          ::pread(descriptor.get(), out.data() + have, out.size() - have, static_cast<off_t>(offset + have));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_error("pread", file.path, errno);
      if (count == 0) return not_as_known(file);
      have += static_cast<std::size_t>(count);
    }
    if (offset != sum.midstate().bytes) {
      // Sent now, after it was summed, or sent again. Nobody else reads an original, so it leaves memory to those who
      // are read.
      if (file.kind != FileKind::original) return {};
      ::posix_fadvise(descriptor.get(), static_cast<off_t>(offset), static_cast<off_t>(out.size()),
                      POSIX_FADV_DONTNEED);
      return {};
    }
    REELWAY_TRY(pace.spend(out.size()));
    counters.copied_bytes += out.size();
    sum.add(out);
    if (sum.midstate().bytes == bytes && sum.finish() != sha256) return not_as_known(file);
    return {};
  }
};

Copier::Copier(const StorageParts& parts)
    : parts_(parts), pace_(parts.clock, parts.patience, parts.options.copy_rate) {}

// Two origins, or one that was set up anew, must not overwrite each other's copies.
Result<void> Copier::claim_prefix() {
  if (has_claimed_) return {};
  const Result<StoreStatus> status = parts_.store.status();
  if (!status.ok()) return status.error();
  const std::string mine = "reelway-origin " + status->cluster_id + "\n";
  const ObjectName marker{parts_.options.copy->bucket, parts_.options.copy->prefix + "reelway-origin"};
  const Result<ObjectHead> head = parts_.bucket->head(marker, parts_.patience);
  if (!head.ok() && head.error().code != ErrorCode::object_not_found) return head.error();
  if (!head.ok()) {
    HttpBody body;
    body.size_bytes = mine.size();
    body.read = [mine](std::uint64_t offset, std::span<std::uint8_t> out) -> Result<void> {
      std::copy_n(mine.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
      return {};
    };
    const Result<ObjectHead> put = parts_.bucket->put(marker, body, parts_.patience);
    if (!put.ok()) return put.error();
    has_claimed_ = true;
    return {};
  }
  std::string found;
  if (head->size_bytes <= kMarkerBytesMax) {
    const auto take = [&](ByteView bytes) -> Result<void> { return found.append(as_text(bytes)), Result<void>(); };
    REELWAY_TRY(parts_.bucket->read_all(marker, *head, take, parts_.patience));
  }
  has_claimed_ = found == mine;
  if (has_claimed_) return {};
  return Error{ErrorCode::config_value_invalid, Side::self, false,
               "storage.copy.prefix: " + object_url(marker) +
                   " says that another origin keeps its copies there; name another prefix"};
}

Result<bool> Copier::copy_all() {
  if (const Result<void> claimed = claim_prefix(); !claimed.ok()) {
    if (is_interruption(claimed.error())) return claimed.error();
    ++parts_.counters.copy_failures;
    telemetry::log_error("nothing is copied to the bucket: {}", describe(claimed.error()));
    return false;
  }
  const Result<std::vector<TitleRecord>> titles = parts_.catalog.titles();
  if (!titles.ok()) return titles.error();
  bool all = true;
  for (const TitleRecord& title : *titles) {
    const Result<std::vector<VersionRecord>> versions = parts_.catalog.versions(title.title);
    if (!versions.ok()) return versions.error();
    for (const VersionRecord& version : *versions) {
      if (version.state != VersionState::published) continue;
      const Result<bool> copied = copy_version(version);
      if (!copied.ok()) return copied;
      all = all && *copied;
    }
  }
  return all;
}

Result<bool> Copier::copy_version(const VersionRecord& version) {
  const auto records = parts_.ledger.files(version.title, version.version);
  if (!records.ok()) return records.error();
  bool all = true;
  for (const StoredFile& file : files_of(parts_.catalog, version)) {
    const auto known = records->find(file.id);
    const FileRecord record = known == records->end() ? FileRecord{} : known->second;
    if (record.copy || record.removed_at_ms != 0) continue;
    // What is known to be wrong waits for somebody to put it right; the scrubber says when it is.
    if (record.finding && record.finding->mended_at_ms == 0) continue;
    const Result<void> copied = copy_file(file);
    if (copied.ok()) continue;
    if (is_interruption(copied.error())) return copied.error();
    const ErrorCode code = copied.error().code;
    if (code == ErrorCode::version_not_found || code == ErrorCode::original_removed) continue;  // removed meanwhile
    ++parts_.counters.copy_failures;
    telemetry::log_error("{} could not be copied to the bucket: {}", describe(file.id), describe(copied.error()));
    all = false;
    if (copied.error().side == Side::upstream) break;  // the next file would meet the same
  }
  return all;
}

Result<void> Copier::copy_file(const StoredFile& file) {
  Result<FileRecord> record = parts_.ledger.file(file.id);
  if (!record.ok()) return std::move(record).error();
  if (record->sha256.empty()) {
    record = learn_sum(parts_, file, pace_);
    if (!record.ok()) return std::move(record).error();
  }
  const Result<ObjectHead> head = send(file, *record);
  if (head.ok()) return record_copy(file, *head);
  if (head.error().code != ErrorCode::stored_data_corrupt && head.error().code != ErrorCode::not_found_on_disk) {
    return head.error();
  }
  FileFinding finding;
  finding.detail = head.error().detail;
  const Result<FileRecord> noted = note_finding(parts_, file, finding);
  if (!noted.ok()) return noted.error();
  return head.error();
}

Result<ObjectHead> Copier::send(const StoredFile& file, const FileRecord& record) {
  Source source{file, record.sha256, pace_, parts_.counters};
  REELWAY_TRY(source.open());
  const Result<std::optional<StorageLedger::Copying>> begun = parts_.ledger.copying(file.id);
  if (!begun.ok()) return begun.error();
  PartedUpload from;
  if (begun->has_value()) {
    from = {(*begun)->record.upload_id, (*begun)->record.part_bytes, (*begun)->parts};
    source.sum = Sha256((*begun)->record.sum);
  }
  const HttpBody body{source.bytes,
                      [&](std::uint64_t at, std::span<std::uint8_t> out) { return source.read(at, out); }};
  const auto keep = [&](const PartedUpload& upload) -> Result<void> {
    if (upload.parts.empty()) source.sum = Sha256();
    const std::optional<UploadedPart> part = upload.parts.empty() ? std::nullopt : std::optional(upload.parts.back());
    return parts_.ledger.keep(file.id, {upload.id, upload.part_bytes, upload.parts.size(), source.sum.midstate()},
                              part);
  };
  Result<ObjectHead> head =
      parts_.bucket->put_parts(copy_name(parts_.options, file.id), body, from, keep, parts_.patience);
  if (!head.ok() && head.error().code == ErrorCode::stored_data_corrupt) {
    // Parts of a file that is wrong are of no use when it has been mended.
    REELWAY_TRY(abandon(file.id));
  }
  return head;
}

Result<void> Copier::abandon(const FileId& id) {
  const Result<std::optional<StorageLedger::Copying>> begun = parts_.ledger.copying(id);
  if (!begun.ok()) return begun.error();
  if (begun->has_value()) {
    const std::string& upload = (*begun)->record.upload_id;
    REELWAY_TRY(parts_.bucket->abandon(copy_name(parts_.options, id), upload, parts_.patience));
  }
  return parts_.ledger.forget_copying(id);
}

Result<void> Copier::record_copy(const StoredFile& file, const ObjectHead& head) {
  const ObjectName name = copy_name(parts_.options, file.id);
  const Result<FileRecord> recorded = parts_.ledger.change(file.id, [&](FileRecord& record) {
    record.bytes = head.size_bytes;
    record.copy = FileCopy{parts_.options.copy->store.name, name, head.etag, parts_.clock.wall_ms()};
  });
  if (!recorded.ok()) {
    const ErrorCode code = recorded.error().code;
    const bool is_removed = code == ErrorCode::version_not_found || code == ErrorCode::original_removed;
    if (is_removed) REELWAY_TRY(parts_.bucket->erase(name, parts_.patience));
    if (is_removed) REELWAY_TRY(parts_.ledger.forget_copying(file.id));
    return recorded.error();
  }
  REELWAY_TRY(parts_.ledger.forget_copying(file.id));
  ++parts_.counters.copied_files;
  telemetry::log_info("{} is copied to {}", describe(file.id), object_url(name));
  return {};
}

}  // namespace reelway::origin
