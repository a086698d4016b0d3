#include "origin/storage/storage_parts.h"

#include "common/telemetry/log.h"

namespace reelway::origin {

ObjectName copy_name(const StorageOptions& options, const FileId& id) {
  return {options.copy->bucket, options.copy->prefix + id.title + "/" + id.version + "/" + id.name};
}

Result<FileRecord> note_finding(const StorageParts& parts, const StoredFile& file, FileFinding finding) {
  finding.found_at_ms = parts.clock.wall_ms();
  bool is_new = true;
  const Result<FileRecord> noted = parts.ledger.change(file.id, [&](FileRecord& record) {
    // What stays wrong was found when it was first seen.
    is_new = !record.finding || record.finding->mended_at_ms != 0;
    if (!is_new) finding.found_at_ms = record.finding->found_at_ms;
    record.finding = finding;
  });
  if (!noted.ok()) return noted;
  if (is_new) ++parts.counters.found;
  telemetry::log_error("{} is not as it was written, at {} ({} bytes): {}", file.path, finding.offset, finding.bytes,
                       finding.detail);
  return noted;
}

Error stopped() {
  return {ErrorCode::shutting_down, Side::self, true, "stopped"};
}

}  // namespace reelway::origin
