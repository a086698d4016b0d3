#include "origin/storage/storage_ledger.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kPage = 500;
constexpr std::size_t kErasedAtOnce = 100;  // below what a transaction may have
constexpr int kConflictsMax = 5;
constexpr std::int64_t kHoldMarginMs = 3'600'000;

Result<void> commit(ControlStore& store, const Txn& txn, const std::string& what) {
  const Result<TxnReply> reply = store.txn(txn);
  if (!reply.ok()) return reply.error();
  if (reply->succeeded) return {};
  return Error{ErrorCode::store_conflict, Side::self, true, what + " was changed meanwhile"};
}

Result<void> put(ControlStore& store, const std::string& key, const std::string& value) {
  Txn txn;
  txn.then_operations = {Operation::put(key, value)};
  return commit(store, txn, key);
}

// The prefix of a version's keys; of a title's without a version.
std::string below(std::string_view prefix, std::string_view title, std::string_view version) {
  std::string key = std::string(prefix).append(title).append("/");
  if (!version.empty()) key.append(version).append("/");
  return key;
}

Error gone(const FileId& id) {
  return {ErrorCode::version_not_found, Side::client, false, id.title + " " + id.version + " has been removed"};
}

}  // namespace

Result<void> for_each_entry(ControlStore& store, const std::string& prefix,
                            const std::function<Result<void>(const KeyValue&)>& use) {
  std::string after;
  for (bool more = true; more;) {
    const Result<Page> page = store.range(prefix, kPage, after);
    if (!page.ok()) return page.error();
    for (const KeyValue& entry : page->entries) {
      REELWAY_TRY(use(entry));
      after = entry.key;
    }
    more = page->more;
  }
  return {};
}

Result<FileRecord> StorageLedger::file(const FileId& id) {
  const std::string key = file_key(id);
  const Result<std::optional<KeyValue>> entry = store_.get(key);
  if (!entry.ok()) return entry.error();
  if (entry->has_value()) return parse_file(key, (*entry)->value);
  FileRecord record;
  record.id = id;
  return record;
}

Result<std::map<FileId, FileRecord>> StorageLedger::files(std::string_view title, std::string_view version) {
  std::map<FileId, FileRecord> records;
  REELWAY_TRY(for_each_entry(store_, below(kFilePrefix, title, version), [&](const KeyValue& entry) -> Result<void> {
    Result<FileRecord> record = parse_file(entry.key, entry.value);
    if (!record.ok()) return std::move(record).error();
    records[record->id] = std::move(record).value();
    return {};
  }));
  return records;
}

Result<void> StorageLedger::replace(const FileRecord& record, Revision revision, Revision version_revision) {
  Txn txn;
  txn.compares = {Compare::unchanged(file_key(record.id), revision),
                  Compare::unchanged(version_key(record.id.title, record.id.version), version_revision)};
  txn.then_operations = {Operation::put(file_key(record.id), to_json(record))};
  return commit(store_, txn, describe(record.id));
}

Result<FileRecord> StorageLedger::change(const FileId& id, const std::function<void(FileRecord& record)>& change) {
  for (int conflicts = 0;; ++conflicts) {
    const std::string key = version_key(id.title, id.version);
    const Result<std::optional<KeyValue>> version = store_.get(key);
    if (!version.ok()) return version.error();
    if (!version->has_value()) return gone(id);
    const Result<VersionRecord> parsed = parse_version_record(key, (*version)->value);
    if (!parsed.ok()) return parsed.error();
    // Of a removed version the original may be kept.
    if (parsed->state == VersionState::removed && !is_original(id)) return gone(id);

    const Result<std::optional<KeyValue>> entry = store_.get(file_key(id));
    if (!entry.ok()) return entry.error();
    FileRecord record;
    record.id = id;
    if (entry->has_value()) {
      Result<FileRecord> found = parse_file(file_key(id), (*entry)->value);
      if (!found.ok()) return found;
      record = std::move(found).value();
    }
    if (record.removed_at_ms != 0) return Error{ErrorCode::original_removed, Side::client, false, describe(id)};
    change(record);
    const Revision revision = entry->has_value() ? (*entry)->mod_revision : 0;
    const Result<void> replaced = replace(record, revision, (*version)->mod_revision);
    if (replaced.ok()) return record;
    if (replaced.error().code != ErrorCode::store_conflict || conflicts == kConflictsMax) return replaced.error();
  }
}

Result<std::optional<StorageLedger::Copying>> StorageLedger::copying(const FileId& id) {
  const std::string key = copying_key(id);
  const Result<std::optional<KeyValue>> entry = store_.get(key);
  if (!entry.ok()) return entry.error();
  if (!entry->has_value()) return std::optional<Copying>();
  Result<CopyingRecord> record = parse_copying(key, (*entry)->value);
  if (!record.ok()) return std::move(record).error();
  Copying copying{std::move(record).value(), {}};
  REELWAY_TRY(for_each_entry(store_, part_prefix(id), [&](const KeyValue& each) -> Result<void> {
    Result<UploadedPart> part = parse_part(each.key, each.value);
    if (!part.ok()) return std::move(part).error();
    copying.parts.push_back(std::move(part).value());
    return {};
  }));
  // Both are written by one transaction, so another number means that the record was tampered with: begin anew.
  if (copying.parts.size() != copying.record.parts) return std::optional<Copying>();
  return std::optional(std::move(copying));
}

Result<void> StorageLedger::keep(const FileId& id, const CopyingRecord& record,
                                 const std::optional<UploadedPart>& part) {
  if (!part) REELWAY_TRY(erase_all(part_prefix(id)));
  Txn txn;
  txn.then_operations = {Operation::put(copying_key(id), to_json(record))};
  if (part) txn.then_operations.push_back(Operation::put(part_key(id, record.parts), to_json(*part)));
  return commit(store_, txn, describe(id));
}

Result<void> StorageLedger::forget_copying(const FileId& id) {
  REELWAY_TRY(erase_all(part_prefix(id)));
  Txn txn;
  txn.then_operations = {Operation::erase(copying_key(id))};
  return commit(store_, txn, describe(id));
}

Result<std::vector<std::pair<FileId, CopyingRecord>>> StorageLedger::copyings(std::string_view title,
                                                                              std::string_view version) {
  std::vector<std::pair<FileId, CopyingRecord>> found;
  REELWAY_TRY(for_each_entry(store_, below(kCopyingPrefix, title, version), [&](const KeyValue& entry) -> Result<void> {
    Result<CopyingRecord> record = parse_copying(entry.key, entry.value);
    if (!record.ok()) return std::move(record).error();
    found.emplace_back(file_id(entry.key, kCopyingPrefix), std::move(record).value());
    return {};
  }));
  return found;
}

Result<std::optional<ScrubRecord>> StorageLedger::scrub() {
  const Result<std::optional<KeyValue>> entry = store_.get(kScrubKey);
  if (!entry.ok()) return entry.error();
  if (!entry->has_value()) return std::optional<ScrubRecord>();
  Result<ScrubRecord> record = parse_scrub(kScrubKey, (*entry)->value);
  if (!record.ok()) return std::move(record).error();
  return std::optional(std::move(record).value());
}

Result<void> StorageLedger::write(const ScrubRecord& record) {
  return put(store_, std::string(kScrubKey), to_json(record));
}

Result<UseRecord> StorageLedger::use(std::string_view title) {
  const std::string key = use_key(title);
  const Result<std::optional<KeyValue>> entry = store_.get(key);
  if (!entry.ok()) return entry.error();
  if (entry->has_value()) return parse_use(key, (*entry)->value);
  UseRecord record;
  record.title = title;
  return record;
}

Result<void> StorageLedger::write(const UseRecord& record) {
  return put(store_, use_key(record.title), to_json(record));
}

Result<void> StorageLedger::hold(std::string_view title, std::string_view version, std::int64_t until_ms) {
  const std::string key = hold_key(title, version);
  const Result<std::optional<KeyValue>> entry = store_.get(key);
  if (!entry.ok()) return entry.error();
  if (entry->has_value()) {
    const Result<std::int64_t> known = parse_hold(key, (*entry)->value);
    if (!known.ok()) return known.error();
    if (*known >= until_ms) return {};
  }
  return put(store_, key, hold_json(until_ms + kHoldMarginMs));
}

Result<std::map<std::string, std::int64_t>> StorageLedger::held_until_ms(std::string_view title) {
  std::map<std::string, std::int64_t> held;
  REELWAY_TRY(for_each_entry(store_, hold_key(title, ""), [&](const KeyValue& entry) -> Result<void> {
    const Result<std::int64_t> until = parse_hold(entry.key, entry.value);
    if (!until.ok()) return until.error();
    held[entry.key.substr(entry.key.rfind('/') + 1)] = *until;
    return {};
  }));
  return held;
}

Result<void> StorageLedger::forget_film(std::string_view title, std::string_view version) {
  Txn txn;
  txn.then_operations = {Operation::erase(hold_key(title, version))};
  REELWAY_TRY(commit(store_, txn, hold_key(title, version)));
  return erase_all(below(kFilePrefix, title, version) + "film/");
}

Result<void> StorageLedger::erase_all(const std::string& prefix) {
  for (;;) {
    const Result<Page> page = store_.range(prefix, kErasedAtOnce);
    if (!page.ok()) return page.error();
    if (page->entries.empty()) return {};
    Txn txn;
    for (const KeyValue& entry : page->entries) txn.then_operations.push_back(Operation::erase(entry.key));
    REELWAY_TRY(commit(store_, txn, prefix));
  }
}

}  // namespace reelway::origin
