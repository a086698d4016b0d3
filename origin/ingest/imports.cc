#include "origin/ingest/imports.h"

#include <algorithm>

#include "common/base/encoding.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/import_file.h"
#include "origin/ingest/imports_state.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kPage = 500;
constexpr std::uint64_t kPartsMax = 100'000;
constexpr int kConflictsMax = 5;
constexpr std::size_t kSha256Bytes = 32;

Error refuse(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

// Whether both expect the same sum.
bool wants_same(const ImportRecord& a, const ImportRecord& b) {
  if (!a.checksum || !b.checksum) return !a.checksum && !b.checksum;
  return a.checksum->kind == b.checksum->kind && a.checksum->value == b.checksum->value;
}

// Somebody waits for the answer, on a worker that others need too.
ObjectStoreLimits question_limits() {
  ObjectStoreLimits limits;
  limits.http.connect = std::chrono::milliseconds(5'000);
  limits.http.silence = std::chrono::seconds(15);
  limits.retry.attempts_max = 2;
  limits.retry.retry_after_max = std::chrono::milliseconds(2'000);
  return limits;
}

}  // namespace

Imports::State::Store::Store(const ObjectStoreConfig& config_in, const Clock& clock_in, Random& random_in)
    : config(config_in),
      questions(config_in, clock_in, random_in, question_limits()),
      transfers(config_in, clock_in, random_in) {}

Imports::State::State(ControlStore& store_in, Catalog& catalog_in, const Uploads& uploads_in, const Clock& clock_in,
                      Random& random_in, ImportsOptions options_in)
    : store(store_in),
      catalog(catalog_in),
      uploads(uploads_in),
      clock(clock_in),
      random(random_in),
      options(std::move(options_in)),
      web_questions(options.web, random, question_limits().http, question_limits().retry),
      web_transfers(options.web, random) {
  for (const ObjectStoreConfig& config : options.stores)
    stores.push_back(std::make_unique<Store>(config, clock, random));
}

Result<Imports::State::Store*> Imports::State::find_store(const std::string& name) {
  if (name.empty() && stores.size() == 1) return stores.front().get();
  std::string known;
  for (const auto& each : stores) {
    if (each->config.name == name) return each.get();
    known.append(known.empty() ? "" : ", ").append(each->config.name);
  }
  const std::string named = name.empty() ? "none was named" : name;
  return refuse(ErrorCode::object_store_not_configured,
                named + (known.empty() ? "; none is configured" : "; there are: " + known));
}

Result<ImportRecord> Imports::State::load(std::string_view import) {
  const std::string key = import_key(import);
  const Result<std::optional<KeyValue>> entry = store.get(key);
  if (!entry.ok()) return entry.error();
  if (!entry->has_value()) return refuse(ErrorCode::import_not_found, std::string(import));
  return parse_import(key, (*entry)->value);
}

Result<std::vector<ImportRecord>> Imports::State::load_all() {
  std::vector<ImportRecord> records;
  std::string after;
  for (bool more = true; more;) {
    const Result<Page> page = store.range(kImportPrefix, kPage, after);
    if (!page.ok()) return page.error();
    for (const KeyValue& entry : page->entries) {
      Result<ImportRecord> record = parse_import(entry.key, entry.value);
      if (!record.ok()) return std::move(record).error();
      records.push_back(std::move(record).value());
      after = entry.key;
    }
    more = page->more;
  }
  return records;
}

Result<void> Imports::State::replace(const ImportRecord& before, const ImportRecord& after,
                                     const std::optional<UploadRecord>& upload) {
  Txn txn;
  txn.compares = {{import_key(before.import), Compare::Field::value, Compare::Relation::equal, 0, to_json(before)}};
  txn.then_operations = {Operation::put(import_key(after.import), to_json(after))};
  if (upload) txn.then_operations.push_back(Operation::put(upload_key(upload->upload), to_json(*upload)));
  const Result<TxnReply> reply = store.txn(txn);
  if (!reply.ok()) return reply.error();
  if (!reply->succeeded) return refuse(ErrorCode::store_conflict, "import " + before.import);
  return {};
}

Result<std::optional<ImportRecord>> Imports::State::find_like(const ImportRecord& record) {
  const Result<std::vector<ImportRecord>> records = load_all();
  if (!records.ok()) return records.error();
  const auto unfinished =
      std::count_if(records->begin(), records->end(), [](const auto& r) { return r.state == ImportState::queued; });
  for (const ImportRecord& each : *records) {
    const bool like = each.store == record.store && each.bucket == record.bucket && each.key == record.key &&
                      each.url == record.url && each.etag == record.etag && each.title == record.title &&
                      each.new_version == record.new_version && wants_same(each, record);
    if (!like) continue;
    if (each.state == ImportState::queued) return std::optional(each);
    if (each.state != ImportState::done || (each.etag.empty() && !each.checksum)) continue;
    const auto upload = store.get(upload_key(each.upload));
    if (!upload.ok()) return upload.error();
    if (!upload->has_value()) continue;
    const auto taken = parse_upload((*upload)->key, (*upload)->value);
    if (taken.ok() && taken->state == UploadState::complete) return std::optional(each);
  }
  if (static_cast<std::size_t>(unfinished) < options.unfinished_max) return std::optional<ImportRecord>();
  return Error{ErrorCode::overloaded, Side::self, true, std::to_string(unfinished) + " imports are unfinished"};
}

Result<void> Imports::State::check_room(std::uint64_t bytes) const {
  const std::uint64_t available = free_bytes(folder());
  if (available >= options.free_bytes_min && available - options.free_bytes_min >= bytes) return {};
  return Error{ErrorCode::disk_full, Side::disk, true,
               folder() + " has " + std::to_string(available >> 20) + " MiB free, the object needs " +
                   std::to_string(bytes >> 20) + " MiB more and " + std::to_string(options.free_bytes_min >> 20) +
                   " MiB must stay free"};
}

void Imports::State::enqueue(const std::string& import) {
  {
    const std::lock_guard hold(mutex);
    queue.push_back(import);
  }
  changed.notify_one();
}

Imports::Imports(ControlStore& store, Catalog& catalog, const Uploads& uploads, const Clock& clock, Random& random,
                 ImportsOptions options)
    : state_(new State(store, catalog, uploads, clock, random, std::move(options))) {}
Imports::~Imports() {
  stop();
}

std::vector<const ObjectStoreConfig*> Imports::stores() const {
  std::vector<const ObjectStoreConfig*> configs;
  for (const auto& each : state_->stores) configs.push_back(&each->config);
  return configs;
}

Result<ListPage> Imports::list(const std::string& store, const std::string& bucket, const ListRequest& request) {
  const auto found = state_->find_store(store);
  if (!found.ok()) return found.error();
  return state_->ask<ListPage>([&] { return (*found)->questions.list(bucket, request, state_->foreground); });
}

Result<ImportRecord> Imports::State::describe_object(const ImportRequest& request) {
  const auto found = find_store(request.store);
  if (!found.ok()) return found.error();
  if (request.key.empty()) return refuse(ErrorCode::http_bad_request, "field \"key\": expected the key of an object");
  const Result<ObjectHead> head = ask<ObjectHead>([&] {
    return (*found)->questions.head({request.bucket, request.key}, foreground);
  });
  if (!head.ok()) return head.error();
  if (head->size_bytes == 0) {
    return refuse(ErrorCode::http_bad_request, object_url({request.bucket, request.key}) + " is empty");
  }
  ImportRecord record;
  record.store = (*found)->config.name;
  record.bucket = request.bucket;
  record.key = request.key;
  record.etag = head->etag;
  record.size_bytes = head->size_bytes;
  record.checksum = head->checksum;
  return record;
}

Result<ImportRecord> Imports::State::describe_url(const ImportRequest& request) {
  const Result<WebUrl> url = web_questions.allowed(request.url);
  if (!url.ok()) return url.error();
  const Result<WebHead> head = ask<WebHead>([&] { return web_questions.head(*url, foreground); });
  if (!head.ok()) return head.error();
  if (head->size_bytes == 0u) return refuse(ErrorCode::http_bad_request, url->shown + " is empty");
  ImportRecord record;
  record.url = request.url;
  record.url_shown = url->shown;
  record.etag = head->etag;
  record.size_bytes = head->size_bytes.value_or(0);
  // Parts of two contents would make a film of their own, so something must tell them apart.
  record.ranges = head->ranges && (!head->etag.empty() || !request.sha256.empty());
  return record;
}

Result<ImportRecord> Imports::begin(const ImportRequest& request) {
  const auto wanted_sum = from_hex(request.sha256);
  if (!request.sha256.empty() && (!wanted_sum || wanted_sum->size() != kSha256Bytes)) {
    return refuse(ErrorCode::http_bad_request, "field \"sha256\": expected 64 lower-case hexadecimal digits");
  }
  REELWAY_TRY(state_->catalog.check_new(request.title, request.new_version));
  Result<ImportRecord> described =
      request.url.empty() ? state_->describe_object(request) : state_->describe_url(request);
  if (!described.ok()) return described;
  ImportRecord& record = *described;
  if (record.size_bytes > state_->options.object_bytes_max) {
    return refuse(ErrorCode::upload_too_large, source_of(record) + " has " + std::to_string(record.size_bytes) +
                                                   " bytes, at most " +
                                                   std::to_string(state_->options.object_bytes_max));
  }
  record.import = state_->random.hex_id();
  record.part_bytes = std::max(state_->options.part_bytes, (record.size_bytes + kPartsMax - 1) / kPartsMax);
  if (!request.sha256.empty()) record.checksum = ExpectedChecksum{ChecksumKind::sha256, *wanted_sum};
  record.title = request.title;
  record.new_version = request.new_version;
  record.upload = state_->random.hex_id();
  record.created_at_ms = state_->clock.wall_ms();

  const std::lock_guard hold(state_->beginning);
  const Result<std::optional<ImportRecord>> like = state_->find_like(record);
  if (!like.ok()) return like.error();
  if (*like) return **like;
  REELWAY_TRY(state_->check_room(std::max(record.size_bytes, state_->options.part_bytes)));
  Txn txn;
  txn.then_operations = {Operation::put(import_key(record.import), to_json(record))};
  if (const Result<TxnReply> reply = state_->store.txn(txn); !reply.ok()) return reply.error();
  state_->enqueue(record.import);
  return described;
}

ImportStatus Imports::State::status_of(ImportRecord record) const {
  const std::lock_guard hold(mutex);
  const auto live = running.find(record.import);
  const bool is_running = live != running.end() && record.state == ImportState::queued;
  std::uint64_t received = record.state == ImportState::done ? record.size_bytes : 0;
  if (is_running) received = live->second->received;
  return {std::move(record), is_running, received};
}

Result<ImportStatus> Imports::status(std::string_view import) {
  Result<ImportRecord> record = state_->load(import);
  if (!record.ok()) return std::move(record).error();
  return state_->status_of(std::move(record).value());
}

Result<std::vector<ImportStatus>> Imports::all() {
  Result<std::vector<ImportRecord>> records = state_->load_all();
  if (!records.ok()) return std::move(records).error();
  std::vector<ImportStatus> statuses;
  for (ImportRecord& record : *records) statuses.push_back(state_->status_of(std::move(record)));
  std::stable_sort(statuses.begin(), statuses.end(),
                   [](const auto& a, const auto& b) { return a.record.created_at_ms > b.record.created_at_ms; });
  return statuses;
}

Result<ImportRecord> Imports::cancel(std::string_view import) {
  for (int conflicts = 0;;) {
    Result<ImportRecord> record = state_->load(import);
    if (!record.ok()) return record;
    if (record->state != ImportState::queued && record->state != ImportState::failed) return record;
    {
      const std::lock_guard hold(state_->mutex);
      const auto live = state_->running.find(import);
      if (live != state_->running.end()) {
        // Its thread ends it.
        live->second->cancelled = true;
        live->second->patience.give_up();
        return record;
      }
    }
    ImportRecord cancelled = *record;
    cancelled.state = ImportState::cancelled;
    cancelled.ended_at_ms = state_->clock.wall_ms();
    const Result<void> replaced = state_->replace(*record, cancelled);
    if (!replaced.ok() && (replaced.error().code != ErrorCode::store_conflict || ++conflicts == kConflictsMax)) {
      return replaced.error();
    }
    if (!replaced.ok()) continue;
    REELWAY_TRY(ImportFile::remove(state_->path_of(cancelled)));
    return cancelled;
  }
}

Result<ImportRecord> Imports::resume(std::string_view import) {
  Result<ImportRecord> record = state_->load(import);
  if (!record.ok() || record->state != ImportState::failed) return record;
  ImportRecord again = *record;
  again.state = ImportState::queued;
  again.error.reset();
  again.ended_at_ms = 0;
  REELWAY_TRY(state_->replace(*record, again));
  state_->enqueue(again.import);
  return again;
}

Imports::Counters Imports::counters() const {
  const std::lock_guard hold(state_->mutex);
  Counters counters;
  counters.queued = state_->queue.size();
  counters.running = state_->running.size();
  counters.done = state_->done;
  counters.failed = state_->failed;
  counters.received_bytes = state_->received_before;
  for (const auto& [import, live] : state_->running) counters.received_bytes += live->received;
  return counters;
}

}  // namespace reelway::origin
