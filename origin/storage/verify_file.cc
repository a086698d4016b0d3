#include "origin/storage/verify_file.h"

#include "origin/mp4/track_index.h"
#include "origin/storage/quiet_reader.h"

namespace reelway::origin {
namespace {

// Longer indexes are of no film that the origin takes (see the catalogue).
constexpr std::size_t kIndexBytesMax = 256u << 20;

FileSums sums_of(const StoredFile& file, const std::string& sha256) {
  FileSums sums{file.bytes, sha256.empty() ? file.sha256 : sha256, {}};
  if (file.kind != FileKind::track) return sums;
  // A damaged index is a finding of its own. The track's own sum must do then.
  Result<std::vector<CheckedUnit>> units = units_of_index(file.index_path);
  if (units.ok()) sums.units = std::move(units).value();
  return sums;
}

}  // namespace

FileFinding finding_of(const FileFault& fault) {
  FileFinding finding;
  finding.offset = fault.offset;
  finding.bytes = fault.bytes;
  finding.places = fault.places;
  finding.detail = fault.detail;
  return finding;
}

Result<Verified> verify_file(const StoredFile& file, const std::string& sha256, const Sha256::Midstate& from,
                             const VerifyHooks& hooks) {
  FileCheck check(sums_of(file, sha256), from);
  Verified verified;
  verified.bytes = from.bytes;
  Bytes index;
  Result<void> told;  // what pace and hook say is no fault of the file
  const Result<void> read = read_quietly(file.path, from.bytes, [&](ByteView piece) -> Result<void> {
    check.add(piece);
    verified.bytes += piece.size();
    if (file.kind == FileKind::index && index.size() < kIndexBytesMax) {
      index.insert(index.end(), piece.begin(), piece.end());
    }
    const bool may_go_on = file.kind != FileKind::index && check.is_boundary();
    told = hooks.on_read(piece.size(), may_go_on ? &check.midstate() : nullptr);
    if (told.ok()) told = hooks.pace.spend(piece.size());
    return told;
  });
  if (!told.ok()) return told.error();
  verified.fault = read.ok() ? check.finish() : FileFault{verified.bytes, 0, 1, describe(read.error())};
  verified.sha256 = check.sha256();
  if (verified.fault || file.kind != FileKind::index) return verified;
  if (const auto parsed = mp4::parse_index(index); !parsed.ok()) {
    verified.fault = FileFault{0, verified.bytes, 1, describe(parsed.error())};
  }
  return verified;
}

Result<FileRecord> learn_sum(const StorageParts& parts, const StoredFile& file, Pace& pace) {
  const VerifyHooks hooks{pace, [&](std::uint64_t, const Sha256::Midstate*) -> Result<void> { return {}; }};
  const Result<Verified> verified = verify_file(file, {}, {}, hooks);
  if (!verified.ok()) return verified.error();
  if (verified->fault) {
    const Result<FileRecord> noted = note_finding(parts, file, finding_of(*verified->fault));
    if (!noted.ok()) return noted;
    return Error{ErrorCode::stored_data_corrupt, Side::disk, false, file.path + ": " + verified->fault->detail};
  }
  return parts.ledger.change(file.id, [&](FileRecord& record) {
    record.bytes = verified->bytes;
    record.sha256 = verified->sha256;
  });
}

}  // namespace reelway::origin
