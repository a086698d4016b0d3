#include "origin/storage/scrubber.h"

#include <algorithm>

#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/storage/mend_file.h"
#include "origin/storage/verify_file.h"

// Model. A round visits all files in one order: titles by id, versions by number, files as files_of() has them. Where
// it is stands in the ScrubRecord: after each file, and within a large one every scrub_keep_bytes, with the state of
// the sum; so a restart costs at most that much reading. What is found stands in the file's own record.

namespace reelway::origin {

Scrubber::Scrubber(const StorageParts& parts, std::function<bool()> should_yield)
    : parts_(parts),
      should_yield_(std::move(should_yield)),
      pace_(parts.clock, parts.patience, parts.options.scrub_rate) {}

// Versions in work are read and checked by their jobs.
bool Scrubber::is_scrubbed(const VersionRecord& version) {
  return version.state == VersionState::published || version.state == VersionState::failed ||
         version.state == VersionState::removed;
}

namespace {

// The files of a version that a round visits. An ingest may have failed before its original was kept.
std::vector<StoredFile> visited(const Catalog& catalog, const VersionRecord& version) {
  if (!Scrubber::is_scrubbed(version)) return {};
  std::vector<StoredFile> files = files_of(catalog, version);
  const bool has_film = version.state == VersionState::published, has_failed = version.state == VersionState::failed;
  std::erase_if(files, [&](const StoredFile& file) {
    return (!has_film && file.kind != FileKind::original) || (has_failed && !exists(file.path));
  });
  return files;
}

}  // namespace

Result<std::optional<StoredFile>> Scrubber::file_after(const FileId& at) {
  const Result<std::vector<TitleRecord>> titles = parts_.catalog.titles();
  if (!titles.ok()) return titles.error();
  for (const TitleRecord& title : *titles) {
    if (title.title < at.title) continue;
    const Result<std::vector<VersionRecord>> versions = parts_.catalog.versions(title.title);
    if (!versions.ok()) return versions.error();
    for (const VersionRecord& version : *versions) {
      const bool is_same = title.title == at.title && version.version == at.version;
      const bool is_past = title.title == at.title && version_number(version.version) < version_number(at.version);
      if (is_past) continue;
      const std::vector<StoredFile> files = visited(parts_.catalog, version);
      auto next = files.begin();
      if (is_same) {
        next = std::find_if(files.begin(), files.end(), [&](const StoredFile& file) { return file.id == at; });
        if (next != files.end()) ++next;
      }
      if (next != files.end()) return std::optional(*next);
    }
  }
  return std::optional<StoredFile>();
}

Result<std::optional<StoredFile>> Scrubber::file_to_go_on_with(const ScrubRecord& round) {
  if (round.is_done) return file_after(round.at);
  const Result<VersionRecord> version = parts_.catalog.version(round.at.title, round.at.version);
  if (version.ok()) {
    for (const StoredFile& file : visited(parts_.catalog, *version)) {
      if (file.id == round.at) return std::optional(file);
    }
  }
  return file_after(round.at);
}

Result<std::int64_t> Scrubber::step() {
  const Result<std::optional<ScrubRecord>> known = parts_.ledger.scrub();
  if (!known.ok()) return known.error();
  const std::int64_t now = parts_.clock.wall_ms(), every = parts_.options.scrub_every.count();
  ScrubRecord round = known->value_or(ScrubRecord{});
  const bool has_ended = round.round_ended_at_ms >= round.round_began_at_ms;
  if (has_ended) {
    const std::int64_t due = round.round_began_at_ms + every;
    if (known->has_value() && now < due) return due - now;
    const std::int64_t ended = round.round_ended_at_ms;
    round = {};
    round.round_began_at_ms = now;
    round.round_ended_at_ms = std::min(ended, now - 1);
  }
  const Result<std::optional<StoredFile>> file = file_to_go_on_with(round);
  if (!file.ok()) return file.error();
  if (!file->has_value()) {
    round.round_ended_at_ms = std::max(now, round.round_began_at_ms);
    round.at = {};
    round.is_done = true;
    REELWAY_TRY(parts_.ledger.write(round));
    ++parts_.counters.rounds;
    return std::max<std::int64_t>(0, round.round_began_at_ms + every - now);
  }
  const bool goes_on = !round.is_done && (*file)->id == round.at;
  if (!goes_on) round.offset = 0, round.sum = {};
  round.at = (*file)->id;
  round.is_done = false;
  std::uint64_t unsaved = 0;
  const auto on_read = [&](std::uint64_t bytes, const Sha256::Midstate* from_here) -> Result<void> {
    round.bytes += bytes;
    unsaved += bytes;
    const bool yields = should_yield_();
    if (from_here == nullptr || (unsaved < parts_.options.scrub_keep_bytes && !yields)) return {};
    round.offset = from_here->bytes;
    round.sum = *from_here;
    unsaved = 0;
    REELWAY_TRY(parts_.ledger.write(round));
    return yields ? Result<void>(stopped()) : Result<void>();
  };
  const Result<Outcome> outcome = scrub(**file, round.sum, on_read);
  if (!outcome.ok()) return outcome.error();
  round.is_done = true;
  round.offset = 0;
  round.sum = {};
  REELWAY_TRY(parts_.ledger.write(round));
  return std::int64_t{0};
}

Result<void> Scrubber::each_file(const std::string& title, const std::function<Result<void>(const StoredFile&)>& use) {
  const Result<std::vector<TitleRecord>> titles = parts_.catalog.titles();
  if (!titles.ok()) return titles.error();
  for (const TitleRecord& each : *titles) {
    if (!title.empty() && each.title != title) continue;
    const Result<std::vector<VersionRecord>> versions = parts_.catalog.versions(each.title);
    if (!versions.ok()) return versions.error();
    for (const VersionRecord& version : *versions) {
      for (const StoredFile& file : visited(parts_.catalog, version)) REELWAY_TRY(use(file));
    }
  }
  return {};
}

Result<ScrubTally> Scrubber::run(const std::string& title, const Tell& tell) {
  ScrubTally tally;
  REELWAY_TRY(each_file(title, [&](const StoredFile& file) -> Result<void> {
    ++tally.files_total;
    tally.bytes_total += file.bytes.value_or(0);
    return {};
  }));
  std::uint64_t before = 0;  // of the files that are done, as the total counts them
  REELWAY_TRY(each_file(title, [&](const StoredFile& file) -> Result<void> {
    const auto on_read = [&](std::uint64_t bytes, const Sha256::Midstate*) -> Result<void> {
      tally.bytes = std::min(tally.bytes + bytes, before + file.bytes.value_or(0));
      tell(tally);
      return {};
    };
    const Result<Outcome> outcome = scrub(file, {}, on_read);
    if (!outcome.ok()) return outcome.error();
    before += file.bytes.value_or(0);
    ++tally.files;
    tally.bytes = before;
    tally.found += outcome->found;
    tally.mended += outcome->mended;
    tell(tally);
    return {};
  }));
  return tally;
}

Result<Scrubber::Outcome> Scrubber::scrub(const StoredFile& file, const Sha256::Midstate& from, const OnRead& on_read) {
  Result<FileRecord> record = parts_.ledger.file(file.id);
  if (!record.ok()) return std::move(record).error();
  if (record->removed_at_ms != 0) return Outcome{};
  if (record->moved_at_ms != 0) {
    REELWAY_TRY(check_copy(file, *record));
    return Outcome{};
  }
  const VerifyHooks hooks{pace_, [&](std::uint64_t bytes, const Sha256::Midstate* from_here) {
                            parts_.counters.scrubbed_bytes += bytes;
                            return on_read(bytes, from_here);
                          }};
  const Result<Verified> verified = verify_file(file, record->sha256, from, hooks);
  if (!verified.ok()) return verified.error();
  Result<FileRecord> changed = *record;
  if (verified->fault) {
    changed = note_finding(parts_, file, finding_of(*verified->fault));
  } else {
    changed = parts_.ledger.change(file.id, [&](FileRecord& each) {
      each.bytes = verified->bytes;
      if (each.sha256.empty()) each.sha256 = verified->sha256;
      each.scrubbed_at_ms = parts_.clock.wall_ms();
      if (each.finding && each.finding->mended_at_ms == 0) each.finding.reset();  // somebody has put it right
    });
  }
  if (!changed.ok()) {
    const ErrorCode code = changed.error().code;
    // Removed while it was read.
    if (code == ErrorCode::version_not_found || code == ErrorCode::original_removed) return Outcome{};
    return changed.error();
  }
  ++parts_.counters.scrubbed_files;
  if (!verified->fault) {
    REELWAY_TRY(check_copy(file, *changed));
    return Outcome{};
  }
  // It may have left the disk while it was read.
  if (changed->moved_at_ms != 0) return Outcome{};
  return settle(file, *changed);
}

// A file that is wrong is mended, or stays as it is and says why.
Result<Scrubber::Outcome> Scrubber::settle(const StoredFile& file, const FileRecord& record) {
  Outcome outcome;
  outcome.found = true;
  Result<void> mended = record.copy ? mend_file(parts_, file, record) : Result<void>(Error{});
  if (!mended.ok() && is_interruption(mended.error())) return mended.error();
  outcome.mended = mended.ok();
  const std::string why = !record.copy ? "there is no second copy" : mended.ok() ? "" : describe(mended.error());
  ++(outcome.mended ? parts_.counters.mended : parts_.counters.not_mended);
  if (mended.ok())
    telemetry::log_warn("{} is mended from {}", file.path, object_url(record.copy->object));
  else
    telemetry::log_error("{} stays damaged: {}", file.path, why);
  const Result<FileRecord> settled = parts_.ledger.change(file.id, [&](FileRecord& each) {
    if (!each.finding) return;
    if (outcome.mended) each.finding->mended_at_ms = each.scrubbed_at_ms = parts_.clock.wall_ms();
    each.finding->mending_error = why;
  });
  if (settled.ok()) return outcome;
  const ErrorCode code = settled.error().code;
  const bool is_removed = code == ErrorCode::version_not_found || code == ErrorCode::original_removed;
  if (!is_removed) return settled.error();
  // The collector was faster, and knows nothing of the file that was put there after it.
  if (outcome.mended) REELWAY_TRY(remove_all(file.path));
  return Outcome{};
}

// A copy that is gone or another now is no copy: the file is copied again. Where there is no other it is a finding.
Result<void> Scrubber::check_copy(const StoredFile& file, const FileRecord& record) {
  const bool is_known =
      record.copy && parts_.bucket != nullptr && parts_.options.copy->store.name == record.copy->store;
  if (!is_known) return {};
  const Result<ObjectHead> head = parts_.bucket->head(record.copy->object, parts_.patience);
  if (!head.ok() && is_interruption(head.error())) return head.error();
  if (!head.ok() && head.error().code != ErrorCode::object_not_found) {
    telemetry::log_warn("the copy of {} could not be looked at: {}", describe(file.id), describe(head.error()));
    return {};
  }
  const std::string url = object_url(record.copy->object);
  if (head.ok() && head->etag == record.copy->etag && head->size_bytes == record.bytes) return {};
  const std::string detail = head.ok() ? url + " is another object now" : url + " is gone";
  if (record.moved_at_ms != 0) {
    FileFinding finding;
    finding.bytes = record.bytes;
    finding.detail = detail + ", and it was the only place of this file";
    (void)note_finding(parts_, file, finding);
    return {};
  }
  telemetry::log_warn("{}: {} is copied again", detail, describe(file.id));
  const Result<FileRecord> changed = parts_.ledger.change(file.id, [](FileRecord& each) { each.copy.reset(); });
  if (changed.ok() || changed.error().code == ErrorCode::version_not_found ||
      changed.error().code == ErrorCode::original_removed) {
    return {};
  }
  return changed.error();
}

}  // namespace reelway::origin
