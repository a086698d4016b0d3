#include "origin/request/api_routes.h"
#include "origin/request/body_fields.h"
#include "origin/request/iso_time.h"

namespace reelway::origin {
namespace {

using nlohmann::json;

constexpr std::int64_t kListMax = 1000;

json import_json(const ImportStatus& status) {
  const ImportRecord& record = status.record;
  json value = {{"import", record.import},
                {"from", source_of(record)},
                {"title", record.title},
                {"new_version", record.new_version},
                {"size_bytes", record.size_bytes == 0 ? json(nullptr) : json(record.size_bytes)},
                {"received_bytes", status.received_bytes},
                {"state", status.running ? std::string_view("running") : name_of(record.state)},
                {"created_at", iso_time(record.created_at_ms)}};
  if (record.url.empty()) {
    value["store"] = record.store;
    value["bucket"] = record.bucket;
    value["key"] = record.key;
  } else {
    value["resumable"] = record.ranges;
  }
  value["checked_by"] = record.checksum ? json(name_of(record.checksum->kind)) : json(nullptr);
  if (record.state == ImportState::done) {
    value["upload"] = record.upload;
    value["sha256"] = record.sha256;
  }
  if (record.ended_at_ms != 0) value["ended_at"] = iso_time(record.ended_at_ms);
  if (record.error) value["error"] = error_object(*record.error);
  return value;
}

Result<Reply> reply_of(const ApiServices& services, std::uint16_t http_status, const Result<ImportRecord>& record) {
  if (!record.ok()) return record.error();
  const auto status = services.imports.status(record->import);
  if (!status.ok()) return status.error();
  return Reply{http_status, import_json(*status)};
}

}  // namespace

Result<Reply> list_object_stores(const ApiServices& services, const ApiCall&) {
  json list = json::array();
  for (const ObjectStoreConfig* store : services.imports.stores()) {
    list.push_back({{"store", store->name},
                    {"endpoint", store->endpoint},
                    {"region", store->region},
                    {"access_key_id", store->credentials.access_key_id}});
  }
  return Reply{200, {{"stores", std::move(list)}}};
}

// By POST although it changes nothing: prefixes and tokens are texts of any kind, and no part of a logged path.
Result<Reply> list_objects(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  const std::string store = fields.optional_text("store").value_or("");
  const std::string bucket = fields.text("bucket");
  ListRequest request;
  request.prefix = fields.optional_text("prefix").value_or("");
  request.token = fields.optional_text("token").value_or("");
  const std::int64_t limit = fields.optional_integer("limit").value_or(kListMax);
  REELWAY_TRY(fields.finish());
  if (limit < 1 || limit > kListMax) {
    return Error{ErrorCode::http_bad_request, Side::client, false, "field \"limit\": expected 1 to 1000"};
  }
  request.limit = static_cast<std::size_t>(limit);
  const auto page = services.imports.list(store, bucket, request);
  if (!page.ok()) return page.error();
  json list = json::array();
  for (const ListedObject& object : page->objects) {
    list.push_back({{"key", object.key},
                    {"size_bytes", object.size_bytes},
                    {"etag", object.etag},
                    {"last_modified", object.last_modified}});
  }
  return Reply{
      200,
      {{"objects", std::move(list)}, {"token", page->next_token.empty() ? json(nullptr) : json(page->next_token)}}};
}

Result<Reply> begin_import(const ApiServices& services, const ApiCall& call) {
  BodyFields fields(call.body);
  ImportRequest request;
  request.url = fields.optional_text("url").value_or("");
  request.store = fields.optional_text("store").value_or("");
  request.bucket = request.url.empty() ? fields.text("bucket") : "";
  request.key = request.url.empty() ? fields.text("key") : "";
  request.sha256 = fields.optional_text("sha256").value_or("");
  request.title = fields.text("title");
  request.new_version = fields.flag("new_version");
  REELWAY_TRY(fields.finish());
  return reply_of(services, 202, services.imports.begin(request));
}

Result<Reply> list_imports(const ApiServices& services, const ApiCall&) {
  const auto statuses = services.imports.all();
  if (!statuses.ok()) return statuses.error();
  json list = json::array();
  for (const ImportStatus& status : *statuses) list.push_back(import_json(status));
  return Reply{200, {{"imports", std::move(list)}}};
}

Result<Reply> show_import(const ApiServices& services, const ApiCall& call) {
  const auto status = services.imports.status(call.parameters.at(0));
  if (!status.ok()) return status.error();
  return Reply{200, import_json(*status)};
}

Result<Reply> cancel_import(const ApiServices& services, const ApiCall& call) {
  return reply_of(services, 202, services.imports.cancel(call.parameters.at(0)));
}

Result<Reply> resume_import(const ApiServices& services, const ApiCall& call) {
  return reply_of(services, 202, services.imports.resume(call.parameters.at(0)));
}

}  // namespace reelway::origin
