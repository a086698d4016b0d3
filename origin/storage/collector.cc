#include "origin/storage/collector.h"

#include <algorithm>

#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/jobs/job_records.h"

// Model. Three kinds of removal, each in two steps:
//
//   film      version record -> removed          then folder, copies, and what is known of the files
//   original  file record -> removed_at          then file, copy
//   move      file record -> moved_at            then file
//
// The first step of a film also writes the title's record again, as it was: whoever decided about the title before that
// (to roll back to this very version, say) finds it changed, and decides anew. The second step is the same whether it
// follows at once or after a crash: finish() looks for records whose first step is done.

namespace reelway::origin {

struct Collector::Found {
  TitleHoldings holdings;
  KeyValue title;                             // as it was read
  std::map<std::string, KeyValue> versions;   // the same, by version
  std::map<FileId, Revision> file_revisions;  // of holdings.files
};

namespace {

Error changed_meanwhile(const std::string& what) {
  return {ErrorCode::store_conflict, Side::self, true, what + " was changed meanwhile"};
}

// What somebody else's change or an unreachable bucket delays is no failure.
bool is_for_later(const Error& error) {
  return !is_interruption(error);
}

}  // namespace

Collector::Collector(const StorageParts& parts, RemoveFiles remove_files)
    : parts_(parts), remove_files_(std::move(remove_files)) {}

Result<Collector::Found> Collector::find(const TitleRecord& title) {
  Found found;
  // The title first: what is read after it can only be newer, and the transaction compares both.
  const Result<std::optional<KeyValue>> entry = parts_.store.get(title_key(title.title));
  if (!entry.ok()) return entry.error();
  if (!entry->has_value()) return changed_meanwhile(title.title);
  found.title = **entry;
  Result<TitleRecord> record = parse_title(found.title.key, found.title.value);
  if (!record.ok()) return std::move(record).error();
  found.holdings.title = std::move(record).value();
  found.holdings.changes = found.title.version;
  REELWAY_TRY(for_each_entry(parts_.store, version_key(title.title, ""), [&](const KeyValue& each) -> Result<void> {
    Result<VersionRecord> version = parse_version_record(each.key, each.value);
    if (!version.ok()) return std::move(version).error();
    found.versions[version->version] = each;
    if (!version->job.empty()) {
      const Result<JobRecord> job = read_job(parts_.store, version->job);
      if (!job.ok() && job.error().code != ErrorCode::job_not_found) return job.error();
      if (job.ok() && is_unfinished(*job)) found.holdings.in_work.insert(version->version);
    }
    found.holdings.versions.push_back(std::move(version).value());
    return {};
  }));
  std::sort(found.holdings.versions.begin(), found.holdings.versions.end(),
            [](const auto& a, const auto& b) { return version_number(a.version) < version_number(b.version); });
  const std::string files = std::string(kFilePrefix) + title.title + "/";
  REELWAY_TRY(for_each_entry(parts_.store, files, [&](const KeyValue& each) -> Result<void> {
    Result<FileRecord> file = parse_file(each.key, each.value);
    if (!file.ok()) return std::move(file).error();
    found.file_revisions[file->id] = each.mod_revision;
    found.holdings.files[file->id] = std::move(file).value();
    return {};
  }));
  const Result<std::map<std::string, std::int64_t>> held = parts_.ledger.held_until_ms(title.title);
  if (!held.ok()) return held.error();
  found.holdings.held_until_ms = *held;
  return found;
}

Result<std::vector<Removal>> Collector::collect(bool is_dry) {
  const Result<std::vector<TitleRecord>> titles = parts_.catalog.titles();
  if (!titles.ok()) return titles.error();
  std::vector<Removal> removals;
  for (const TitleRecord& title : *titles) {
    if (parts_.patience.given_up()) return stopped();
    const Result<Found> found = find(title);
    if (!found.ok()) return found.error();
    const std::int64_t now = parts_.clock.wall_ms();
    const Result<UseRecord> before = parts_.ledger.use(title.title);
    if (!before.ok()) return before.error();
    const UseRecord use = follow_use(*before, found->holdings, now);
    if (!is_dry && to_json(use) != to_json(*before)) REELWAY_TRY(parts_.ledger.write(use));
    if (!is_dry) REELWAY_TRY(finish(*found));
    for (const Removal& removal : removable(found->holdings, use, parts_.options.retention,
                                            parts_.options.originals_in_bucket && parts_.bucket != nullptr, now)) {
      const Result<void> removed = is_dry ? Result<void>() : remove(*found, removal);
      if (!removed.ok() && !is_for_later(removed.error())) return removed.error();
      if (removed.ok())
        removals.push_back(removal);
      else
        telemetry::log_warn("{} of {} {} is not removed now: {}", name_of(removal.kind), removal.title, removal.version,
                            describe(removed.error()));
    }
  }
  return removals;
}

Result<void> Collector::remove(const Found& found, const Removal& removal) {
  const bool moves = removal.kind == Removal::Kind::move;
  telemetry::log_info("{} {}: the {} {}: {}", removal.title, removal.version,
                      removal.kind == Removal::Kind::film ? "film" : "original",
                      moves ? "leaves the disk" : "is removed", removal.reason);
  if (removal.kind == Removal::Kind::film)
    REELWAY_TRY(record_film(found, removal));
  else
    REELWAY_TRY(record_original(found, removal));
  // A title with several removals is looked at again for each: the first has changed its records.
  const Result<Found> now = find(found.holdings.title);
  if (!now.ok()) return now.error();
  return finish(*now);
}

Result<void> Collector::record_film(const Found& found, const Removal& removal) {
  const KeyValue& entry = found.versions.at(removal.version);
  Result<VersionRecord> version = parse_version_record(entry.key, entry.value);
  if (!version.ok()) return std::move(version).error();
  version->state = VersionState::removed;
  // The title is read now: an earlier removal of the same look has written it again.
  const Result<std::optional<KeyValue>> title = parts_.store.get(found.title.key);
  if (!title.ok()) return title.error();
  if (!title->has_value() || (*title)->value != found.title.value) return changed_meanwhile(removal.title);
  const Result<UseRecord> use = parts_.ledger.use(removal.title);
  if (!use.ok()) return use.error();
  if (use->changes != (*title)->version) return changed_meanwhile(removal.title);
  UseRecord after = *use;
  ++after.changes;
  std::erase_if(after.superseded, [&](const auto& each) { return each.version == removal.version; });
  Txn txn;
  txn.compares = {Compare::unchanged(found.title.key, (*title)->mod_revision),
                  Compare::unchanged(entry.key, entry.mod_revision)};
  txn.then_operations = {Operation::put(entry.key, to_json(*version)),
                         Operation::put(found.title.key, found.title.value),
                         Operation::put(use_key(removal.title), to_json(after))};
  const Result<TxnReply> reply = parts_.store.txn(txn);
  if (!reply.ok()) return reply.error();
  if (!reply->succeeded) return changed_meanwhile(removal.title + " " + removal.version);
  parts_.catalog.forget(removal.title, removal.version);
  return {};
}

Result<void> Collector::record_original(const Found& found, const Removal& removal) {
  FileRecord record;
  record.id = {removal.title, removal.version, removal.file};
  const auto known = found.holdings.files.find(record.id);
  Revision revision = 0;
  if (known != found.holdings.files.end()) record = known->second, revision = found.file_revisions.at(record.id);
  const std::int64_t now = parts_.clock.wall_ms();
  if (removal.kind == Removal::Kind::move) {
    REELWAY_TRY(check_moved(record));
    record.moved_at_ms = now;
  } else {
    record.removed_at_ms = now;
    record.finding.reset();
  }
  const Result<std::optional<KeyValue>> version = parts_.store.get(version_key(removal.title, removal.version));
  if (!version.ok()) return version.error();
  if (!version->has_value()) return changed_meanwhile(removal.title + " " + removal.version);
  // A film's removal of the same look may have written the version; nothing else may have.
  const KeyValue& seen = found.versions.at(removal.version);
  const Result<VersionRecord> parsed = parse_version_record((*version)->key, (*version)->value);
  if (!parsed.ok()) return parsed.error();
  const bool is_as_seen = (*version)->mod_revision == seen.mod_revision || parsed->state == VersionState::removed;
  if (!is_as_seen) return changed_meanwhile(removal.title + " " + removal.version);
  return parts_.ledger.replace(record, revision, (*version)->mod_revision);
}

// Whether the only place that a file is to have is there, as it was stored.
Result<void> Collector::check_moved(const FileRecord& record) {
  const Result<ObjectHead> head = parts_.bucket->head(record.copy->object, parts_.patience);
  if (!head.ok()) return head.error();
  if (head->etag == record.copy->etag && head->size_bytes == record.bytes) return {};
  return Error{ErrorCode::object_changed, Side::upstream, false, object_url(record.copy->object)};
}

Result<void> Collector::finish(const Found& found) {
  for (const VersionRecord& version : found.holdings.versions) {
    Result<void> finished;
    for (const StoredFile& file : files_of(parts_.catalog, version)) {
      if (finished.ok() && file.kind == FileKind::original) finished = finish_original(found, file);
    }
    if (finished.ok() && version.state == VersionState::removed) finished = finish_film(found, version);
    if (finished.ok()) continue;
    if (!is_for_later(finished.error())) return finished.error();
    telemetry::log_warn("what is left of {} {} is removed later: {}", version.title, version.version,
                        describe(finished.error()));
  }
  return {};
}

Result<void> Collector::finish_film(const Found& found, const VersionRecord& version) {
  const std::string folder = parts_.catalog.version_folder(version.title, version.version);
  if (exists(folder)) {
    parts_.counters.removed_files += version.tracks.size() * 2 + version.texts.size() + version.images.size() * 3;
    REELWAY_TRY(remove_files_(folder));
  }
  bool is_known = false;
  for (const auto& [id, record] : found.holdings.files) {
    if (id.version != version.version || is_original(id)) continue;
    is_known = true;
    REELWAY_TRY(erase_copy(record));
  }
  const auto copyings = parts_.ledger.copyings(version.title, version.version);
  if (!copyings.ok()) return copyings.error();
  for (const auto& [id, record] : *copyings) {
    if (!is_original(id)) REELWAY_TRY(abandon_copying(id));
  }
  if (!is_known) return {};
  return parts_.ledger.forget_film(version.title, version.version);
}

Result<void> Collector::finish_original(const Found& found, const StoredFile& file) {
  const FileId& id = file.id;
  const auto known = found.holdings.files.find(id);
  if (known == found.holdings.files.end()) return {};
  const FileRecord& record = known->second;
  if (record.removed_at_ms == 0 && record.moved_at_ms == 0) return {};
  if (exists(file.path)) {
    ++(record.removed_at_ms != 0 ? parts_.counters.removed_files : parts_.counters.moved_files);
    REELWAY_TRY(remove_files_(file.path));
  }
  if (record.removed_at_ms == 0) return {};
  REELWAY_TRY(abandon_copying(id));
  if (!record.copy) return {};
  REELWAY_TRY(erase_copy(record));
  const Result<std::optional<KeyValue>> entry = parts_.store.get(version_key(id.title, id.version));
  if (!entry.ok()) return entry.error();
  if (!entry->has_value()) return {};
  FileRecord without = record;
  without.copy.reset();
  return parts_.ledger.replace(without, found.file_revisions.at(id), (*entry)->mod_revision);
}

Result<void> Collector::erase_copy(const FileRecord& record) {
  if (!record.copy) return {};
  const bool is_known = parts_.bucket != nullptr && parts_.options.copy->store.name == record.copy->store;
  if (is_known) return parts_.bucket->erase(record.copy->object, parts_.patience);
  // The configuration no longer has that store: nobody here can reach it.
  telemetry::log_warn("{} stays in the object store {}, which is no longer configured", object_url(record.copy->object),
                      record.copy->store);
  return {};
}

Result<void> Collector::abandon_copying(const FileId& id) {
  const Result<std::optional<StorageLedger::Copying>> copying = parts_.ledger.copying(id);
  if (!copying.ok()) return copying.error();
  if (!copying->has_value()) return {};
  if (parts_.bucket != nullptr) {
    const std::string& upload = (*copying)->record.upload_id;
    REELWAY_TRY(parts_.bucket->abandon(copy_name(parts_.options, id), upload, parts_.patience));
  }
  return parts_.ledger.forget_copying(id);
}

}  // namespace reelway::origin
