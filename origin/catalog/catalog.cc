#include "origin/catalog/catalog.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "common/access/play_path.h"
#include "origin/catalog/published_version.h"
#include "origin/catalog/title_history.h"
#include "origin/catalog/version_cache.h"

// Model. A title is a record that names its current version; a version is a record and a folder of files that nobody
// changes. What is visible is decided by records alone: a version's state, and the title's current_version. Every
// change of several records is one transaction that compares what it was decided on, so two ingests of one title, or
// an ingest and its own repetition after a crash, cannot both succeed.
//
// A version in memory outlives its title's being taken off, which comes as set_withdrawn(): that is looked at before
// the memory. What was taken off before this process began is not in memory, and the title's record says so at its
// loading.

namespace reelway::origin {
namespace {

constexpr std::size_t kPage = 500;

using access::is_title_id;

Error error_of(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

// A record with the revision that it was read at.
template <class Record>
struct Found {
  Record record;
  Revision revision = 0;
};

template <class Record>
Result<std::optional<Found<Record>>> find(ControlStore& store, const std::string& key,
                                          Result<Record> (*parse)(std::string_view, std::string_view)) {
  Result<std::optional<KeyValue>> entry = store.get(key);
  if (!entry.ok()) return std::move(entry).error();
  if (!entry->has_value()) return std::optional<Found<Record>>();
  Result<Record> record = parse(key, (*entry)->value);
  if (!record.ok()) return std::move(record).error();
  return std::optional<Found<Record>>({std::move(record).value(), (*entry)->mod_revision});
}

template <class Record>
Result<std::vector<Record>> list(ControlStore& store, const std::string& prefix,
                                 Result<Record> (*parse)(std::string_view, std::string_view)) {
  std::vector<Record> records;
  std::string after;
  for (bool more = true; more;) {
    Result<Page> page = store.range(prefix, kPage, after);
    if (!page.ok()) return std::move(page).error();
    for (const KeyValue& entry : page->entries) {
      Result<Record> record = parse(entry.key, entry.value);
      if (!record.ok()) return std::move(record).error();
      records.push_back(std::move(record).value());
      after = entry.key;
    }
    more = page->more;
  }
  return records;
}

// Only failed ingests so far: the id may be used again without asking for a new version.
bool is_free(const TitleRecord& title) {
  return title.state == TitleState::failed && title.current_version.empty();
}

// In memory a version is apart for those who may see it unpublished.
std::string cache_name(std::string_view title, std::string_view version, Audience audience) {
  return (audience == Audience::preview ? "preview " : "") + version_key(title, version);
}

bool may_see(const VersionRecord& version, Audience audience) {
  return version.state == VersionState::published ||
         (version.state == VersionState::ready && audience == Audience::preview);
}

Error taken_off(std::string_view title) {
  return error_of(ErrorCode::title_not_published, std::string(title) + " has been taken off");
}

Error changed_meanwhile(std::string_view title) {
  return {ErrorCode::store_conflict, Side::client, true, "title " + std::string(title) + " was changed meanwhile"};
}

// A title takes an upload that nobody else has taken or written to meanwhile.
void take(const UploadRecord& upload, Txn& txn) {
  UploadRecord taken = upload;
  taken.state = UploadState::taken;
  txn.compares.push_back(
      {upload_key(upload.upload), Compare::Field::value, Compare::Relation::equal, 0, to_json(upload)});
  txn.then_operations.push_back(Operation::put(upload_key(upload.upload), to_json(taken)));
}

void erase_uploads(const std::vector<DeliveredFile>& files, Txn& txn) {
  for (const DeliveredFile& file : files) txn.then_operations.push_back(Operation::erase(upload_key(file.upload)));
}

}  // namespace

struct Catalog::State {
  ControlStore& store;
  const Clock& clock;
  const CatalogOptions options;
  VersionCache cache;
  mutable std::mutex mutex;
  std::set<std::string, std::less<>> withdrawn;  // guarded by mutex; of those taken off since the start

  State(ControlStore& store_in, const Clock& clock_in, CatalogOptions options_in)
      : store(store_in),
        clock(clock_in),
        options(std::move(options_in)),
        cache(options.cached_versions_max, options.cached_bytes_max) {}

  Result<std::optional<Found<TitleRecord>>> find_title(std::string_view title) {
    return find<TitleRecord>(store, title_key(title), parse_title);
  }

  Result<Found<TitleRecord>> need_title(std::string_view title) {
    Result<std::optional<Found<TitleRecord>>> found = find_title(title);
    if (!found.ok()) return std::move(found).error();
    if (!found->has_value()) return error_of(ErrorCode::title_not_found, std::string(title));
    return std::move(**found);
  }

  Result<Found<VersionRecord>> need_version(std::string_view title, std::string_view version) {
    Result<std::optional<Found<VersionRecord>>> found =
        find<VersionRecord>(store, version_key(title, version), parse_version_record);
    if (!found.ok()) return std::move(found).error();
    if (found->has_value()) return std::move(**found);
    Result<Found<TitleRecord>> known = need_title(title);
    if (!known.ok()) return std::move(known).error();
    return error_of(ErrorCode::version_not_found, std::string(title) + " " + std::string(version));
  }

  Result<void> check_new(std::string_view title, bool new_version, const std::optional<Found<TitleRecord>>& found) {
    if (!is_title_id(title)) return error_of(ErrorCode::title_id_invalid, std::string(title));
    if (!found && new_version) return error_of(ErrorCode::title_not_found, std::string(title));
    if (found && !new_version && !is_free(found->record)) {
      return error_of(ErrorCode::title_exists, std::string(title) + ", " + std::string(name_of(found->record.state)));
    }
    return {};
  }

  bool is_withdrawn(std::string_view title) const {
    const std::lock_guard hold(mutex);
    return withdrawn.contains(title);
  }

  // Notes in the version that plays now that it does so no longer. Titles have been seen without such a record.
  Result<void> replace_current(const TitleRecord& title, std::int64_t now_ms, Txn& txn) {
    if (title.current_version.empty()) return {};
    const std::string key = version_key(title.title, title.current_version);
    auto former = find<VersionRecord>(store, key, parse_version_record);
    if (!former.ok()) return std::move(former).error();
    if (!former->has_value()) return {};
    (*former)->record.replaced_at_ms = now_ms;
    txn.compares.push_back(Compare::unchanged(key, (*former)->revision));
    txn.then_operations.push_back(Operation::put(key, to_json((*former)->record)));
    return {};
  }

  // What a viewer, or a preview, gets of a version that is not in memory.
  Result<std::shared_ptr<const PublishedVersion>> load(std::string_view title, std::string_view version,
                                                       Audience audience, const std::string& folder) {
    const Result<Found<VersionRecord>> found = need_version(title, version);
    if (!found.ok()) return found.error();
    if (!may_see(found->record, audience)) {
      return error_of(ErrorCode::version_not_found, std::string(title) + " " + std::string(version) + " is " +
                                                        std::string(name_of(found->record.state)));
    }
    const Result<Found<TitleRecord>> known = need_title(title);
    if (!known.ok()) return known.error();
    if (known->record.state == TitleState::unpublished && audience == Audience::viewers) return taken_off(title);
    return load_published(found->record, known->record.name, folder);
  }

  // One transaction; store_conflict when its compares fail.
  Result<void> commit(const Txn& txn, std::string_view title) {
    const Result<TxnReply> reply = store.txn(txn);
    if (!reply.ok()) return reply.error();
    if (!reply->succeeded) return changed_meanwhile(title);
    return {};
  }
};

Catalog::Catalog(ControlStore& store, const Clock& clock, CatalogOptions options)
    : state_(std::make_unique<State>(store, clock, std::move(options))) {}
Catalog::~Catalog() = default;

std::string Catalog::version_folder(std::string_view title, std::string_view version) const {
  return state_->options.data_dir + "/titles/" + std::string(title) + "/" + std::string(version);
}

std::string Catalog::original_path(std::string_view title, std::string_view version) const {
  return state_->options.data_dir + "/originals/" + std::string(title) + "/" + std::string(version) + "/source";
}
std::string Catalog::delivered_path(std::string_view title, std::string_view version, std::string_view name) const {
  const std::string original = original_path(title, version);
  return original.substr(0, original.rfind('/') + 1).append(name);
}

std::shared_ptr<const PublishedVersion> Catalog::cached(std::string_view title, std::string_view version,
                                                        Audience audience) {
  if (audience == Audience::viewers && state_->is_withdrawn(title)) return nullptr;
  return state_->cache.find(cache_name(title, version, audience));
}

void Catalog::forget(std::string_view title, std::string_view version) {
  state_->cache.drop(cache_name(title, version, Audience::viewers));
  state_->cache.drop(cache_name(title, version, Audience::preview));
}

void Catalog::set_withdrawn(std::string_view title, bool withdrawn) {
  const std::lock_guard hold(state_->mutex);
  if (withdrawn) {
    state_->withdrawn.emplace(title);
  } else if (const auto place = state_->withdrawn.find(title); place != state_->withdrawn.end()) {
    state_->withdrawn.erase(place);
  }
}

void Catalog::drop_preview(std::string_view title, std::string_view version) {
  state_->cache.drop(cache_name(title, version, Audience::preview));
}

Result<std::shared_ptr<const PublishedVersion>> Catalog::published(std::string_view title, std::string_view version,
                                                                   Audience audience) {
  // The names come from a request's path: only what could have been published goes on to the store and the disk.
  if (!is_title_id(title)) return error_of(ErrorCode::title_not_found, std::string(title));
  if (version_number(version) == 0) return error_of(ErrorCode::version_not_found, std::string(version));
  if (audience == Audience::viewers && state_->is_withdrawn(title)) return taken_off(title);
  return state_->cache.find_or_load(cache_name(title, version, audience), [&] {
    return state_->load(title, version, audience, version_folder(title, version));
  });
}

Result<std::vector<TitleRecord>> Catalog::titles() {
  return list<TitleRecord>(state_->store, std::string(kTitlePrefix), parse_title);
}

Result<TitleRecord> Catalog::title(std::string_view title) {
  Result<Found<TitleRecord>> found = state_->need_title(title);
  if (!found.ok()) return std::move(found).error();
  return std::move(found->record);
}

Result<std::vector<VersionRecord>> Catalog::versions(std::string_view title) {
  if (Result<Found<TitleRecord>> known = state_->need_title(title); !known.ok()) return std::move(known).error();
  Result<std::vector<VersionRecord>> records =
      list<VersionRecord>(state_->store, version_key(title, ""), parse_version_record);
  if (!records.ok()) return records;
  std::sort(records->begin(), records->end(), [](const VersionRecord& a, const VersionRecord& b) {
    return version_number(a.version) < version_number(b.version);
  });
  return records;
}

Result<VersionRecord> Catalog::version(std::string_view title, std::string_view version) {
  Result<Found<VersionRecord>> found = state_->need_version(title, version);
  if (!found.ok()) return std::move(found).error();
  return std::move(found->record);
}

Result<std::string> Catalog::current_version(std::string_view title) {
  const Result<Found<TitleRecord>> found = state_->need_title(title);
  if (!found.ok()) return found.error();
  if (found->record.state == TitleState::unpublished) return taken_off(title);
  if (found->record.current_version.empty()) {
    return error_of(ErrorCode::title_not_published,
                    std::string(title) + " is " + std::string(name_of(found->record.state)));
  }
  return found->record.current_version;
}

Result<std::string> Catalog::find_original(std::string_view sha256) {
  std::string after;
  for (bool more = true; more;) {
    const Result<Page> page = state_->store.range(kVersionPrefix, kPage, after);
    if (!page.ok()) return page.error();
    for (const KeyValue& entry : page->entries) {
      after = entry.key;
      // Nearly all are passed by without being parsed.
      if (entry.value.find(sha256) == std::string::npos) continue;
      const Result<VersionRecord> record = parse_version_record(entry.key, entry.value);
      if (!record.ok()) return record.error();
      if (record->sha256 == sha256 && record->state != VersionState::failed) {
        return record->title + "/" + record->version;
      }
    }
    more = page->more;
  }
  return std::string();
}

Result<void> Catalog::check_new(std::string_view title, bool new_version) {
  if (!is_title_id(title)) return error_of(ErrorCode::title_id_invalid, std::string(title));
  const Result<std::optional<Found<TitleRecord>>> found = state_->find_title(title);
  if (!found.ok()) return found.error();
  return state_->check_new(title, new_version, *found);
}

Result<JobRecord> Catalog::create(const NewVersion& request) {
  REELWAY_TRY(check_new(request.title, request.new_version));
  Result<std::optional<Found<TitleRecord>>> found = state_->find_title(request.title);
  if (!found.ok()) return std::move(found).error();
  const std::int64_t now = state_->clock.wall_ms();
  TitleRecord title = found->has_value() ? (*found)->record : TitleRecord{};
  title.title = request.title;
  if (!found->has_value()) title.created_at_ms = now;
  if (!request.name.empty() || title.name.empty()) title.name = request.name.empty() ? request.title : request.name;
  if (title.current_version.empty()) title.state = TitleState::ingesting;
  title.latest_version = version_name(version_number(title.latest_version) + 1);

  VersionRecord version;
  version.job = request.job;
  version.sha256 = request.upload.sha256;
  version.source_bytes = request.upload.size_bytes;
  version.language = request.language;
  version.units_per_segment = request.units_per_segment;
  version.is_protected = state_->options.protect_new;
  version.created_at_ms = now;
  for (const auto& [file, upload] : request.files) version.files.push_back(file);

  JobRecord job;
  job.job = request.job;
  job.title = request.title;
  job.version = title.latest_version;
  job.upload = request.upload.upload;
  job.priority = request.priority;
  job.created_at_ms = now;

  Txn txn;
  txn.compares = {Compare::unchanged(title_key(request.title), found->has_value() ? (*found)->revision : 0),
                  Compare::absent(job_key(job.job))};
  txn.then_operations = {Operation::put(title_key(request.title), to_json(title)),
                         Operation::put(version_key(request.title, job.version), to_json(version)),
                         Operation::put(job_key(job.job), to_json(job))};
  take(request.upload, txn);
  for (const auto& [file, upload] : request.files) take(upload, txn);
  REELWAY_TRY(state_->commit(txn, request.title));
  return job;
}

Result<void> Catalog::publish(const VersionRecord& version, const JobRecord& job, VersionState outcome) {
  Result<Found<TitleRecord>> title = state_->need_title(version.title);
  if (!title.ok()) return std::move(title).error();
  const std::int64_t now_ms = state_->clock.wall_ms();
  TitleRecord changed = title->record;
  VersionRecord published = version;
  published.state = outcome;
  published.error.reset();
  Txn txn;
  txn.compares = {Compare::unchanged(title_key(version.title), title->revision)};
  const bool is_out = outcome == VersionState::published;
  if (is_out) {
    published.published_at_ms = now_ms;
    if (changed.state != TitleState::unpublished) changed.state = TitleState::published;
  }
  // An older version that ends late is published, but does not replace a newer one.
  if (is_out && version_number(version.version) > version_number(changed.current_version)) {
    REELWAY_TRY(state_->replace_current(changed, now_ms, txn));
    changed.current_version = version.version;
    changed.error.reset();
    note(changed, {TitleAction::publish, version.version, "", "", now_ms});
  }
  JobRecord done = job;
  done.state = JobState::done;
  done.stage = JobStage::publish;
  done.progress = 1;
  done.error.reset();
  for (Operation& operation : std::vector<Operation>{
           Operation::put(title_key(version.title), to_json(changed)),
           Operation::put(version_key(version.title, version.version), to_json(published)),
           Operation::put(job_key(job.job), to_json(done)), Operation::erase(upload_key(job.upload))}) {
    txn.then_operations.push_back(std::move(operation));
  }
  erase_uploads(version.files, txn);
  return state_->commit(txn, version.title);
}

Result<void> Catalog::fail(const JobRecord& job, const Error& error) {
  Result<Found<TitleRecord>> title = state_->need_title(job.title);
  if (!title.ok()) return std::move(title).error();
  Result<Found<VersionRecord>> version = state_->need_version(job.title, job.version);
  if (!version.ok()) return std::move(version).error();
  TitleRecord changed = title->record;
  changed.error = error;
  if (changed.current_version.empty()) changed.state = TitleState::failed;
  version->record.state = VersionState::failed;
  version->record.error = error;
  JobRecord failed = job;
  failed.state = JobState::failed;
  failed.error = error;
  Txn txn;
  txn.compares = {Compare::unchanged(title_key(job.title), title->revision)};
  txn.then_operations = {Operation::put(title_key(job.title), to_json(changed)),
                         Operation::put(version_key(job.title, job.version), to_json(version->record)),
                         Operation::put(job_key(job.job), to_json(failed)), Operation::erase(upload_key(job.upload))};
  erase_uploads(version->record.files, txn);
  return state_->commit(txn, job.title);
}

}  // namespace reelway::origin
