#include "origin/storage/storage_records.h"

#include <algorithm>
#include <cstdio>

#include "common/base/bytes.h"
#include "common/base/encoding.h"
#include "origin/catalog/record_fields.h"

namespace reelway::origin {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kPartPrefix = "/v1/storage/part/";

std::string key_of(std::string_view prefix, const FileId& id) {
  return std::string(prefix).append(id.title).append("/").append(id.version).append("/").append(id.name);
}

// Eight words, what is left of a block, and the count, as one run of hexadecimal digits.
std::string midstate_text(const Sha256::Midstate& state) {
  ByteWriter writer;
  for (const std::uint32_t word : state.words) writer.u32(word);
  writer.append(ByteView(state.tail));
  writer.u64(state.bytes);
  return hex(writer.bytes());
}

Sha256::Midstate midstate(RecordFields& fields, const char* name) {
  Sha256::Midstate state;
  const auto bytes = from_hex(fields.text(name));
  if (!bytes) return fields.fail(name), state;
  ByteReader reader(*bytes);
  for (std::uint32_t& word : state.words) word = reader.u32();
  const ByteView tail = reader.take(state.tail.size());
  state.bytes = reader.u64();
  if (reader.failed() || !reader.at_end()) return fields.fail(name), Sha256::Midstate{};
  std::copy(tail.begin(), tail.end(), state.tail.begin());
  return state;
}

Json copy_value(const FileCopy& copy) {
  return {{"store", copy.store},
          {"bucket", copy.object.bucket},
          {"key", copy.object.key},
          {"etag", copy.etag},
          {"copied_at_ms", copy.copied_at_ms}};
}

Json finding_value(const FileFinding& finding) {
  return {{"found_at_ms", finding.found_at_ms},
          {"offset", finding.offset},
          {"bytes", finding.bytes},
          {"places", finding.places},
          {"detail", finding.detail},
          {"mended_at_ms", finding.mended_at_ms},
          {"mending_error", finding.mending_error}};
}

Result<std::optional<FileCopy>> copy_of(std::string_view key, RecordFields& fields) {
  const Json* value = fields.find("copy");
  if (value == nullptr) return std::optional<FileCopy>();
  RecordFields copy(key, *value);
  FileCopy out;
  out.store = copy.text("store");
  out.object = {copy.text("bucket"), copy.text("key")};
  out.etag = copy.text("etag");
  out.copied_at_ms = copy.number<std::int64_t>("copied_at_ms");
  Result<FileCopy> checked = copy.finish(std::move(out));
  if (!checked.ok()) return std::move(checked).error();
  return std::optional(std::move(checked).value());
}

Result<std::optional<FileFinding>> finding_of(std::string_view key, RecordFields& fields) {
  const Json* value = fields.find("finding");
  if (value == nullptr) return std::optional<FileFinding>();
  RecordFields finding(key, *value);
  FileFinding out;
  out.found_at_ms = finding.number<std::int64_t>("found_at_ms");
  out.offset = finding.number<std::uint64_t>("offset");
  out.bytes = finding.number<std::uint64_t>("bytes");
  out.places = finding.number<std::uint64_t>("places");
  out.detail = finding.text("detail");
  out.mended_at_ms = finding.number<std::int64_t>("mended_at_ms");
  out.mending_error = finding.text("mending_error");
  Result<FileFinding> checked = finding.finish(std::move(out));
  if (!checked.ok()) return std::move(checked).error();
  return std::optional(std::move(checked).value());
}

}  // namespace

std::string describe(const FileId& id) {
  return id.title + " " + id.version + " " + id.name;
}

bool is_original(const FileId& id) {
  return id.name.starts_with("original/");
}

std::string file_key(const FileId& id) {
  return key_of(kFilePrefix, id);
}
std::string copying_key(const FileId& id) {
  return key_of(kCopyingPrefix, id);
}
std::string part_prefix(const FileId& id) {
  return key_of(kPartPrefix, id) + "/";
}
std::string part_key(const FileId& id, std::uint64_t number) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%05llu", static_cast<unsigned long long>(number));
  return part_prefix(id) + digits;
}
std::string use_key(std::string_view title) {
  return std::string(kUsePrefix).append(title);
}

std::string hold_key(std::string_view title, std::string_view version) {
  return std::string("/v1/storage/hold/").append(title).append("/").append(version);
}

FileId file_id(std::string_view key, std::string_view prefix) {
  const std::string rest = after_prefix(key, prefix);
  const std::size_t first = std::min(rest.find('/'), rest.size());
  const std::size_t second = std::min(rest.find('/', first + 1), rest.size());
  FileId id;
  id.title = rest.substr(0, first);
  if (first < rest.size()) id.version = rest.substr(first + 1, second - first - 1);
  if (second < rest.size()) id.name = rest.substr(second + 1);
  return id;
}

std::string to_json(const FileRecord& record) {
  Json json = {{"bytes", record.bytes},
               {"sha256", record.sha256},
               {"scrubbed_at_ms", record.scrubbed_at_ms},
               {"moved_at_ms", record.moved_at_ms},
               {"removed_at_ms", record.removed_at_ms}};
  if (record.copy) json["copy"] = copy_value(*record.copy);
  if (record.finding) json["finding"] = finding_value(*record.finding);
  return dump_record(std::move(json));
}

Result<FileRecord> parse_file(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  FileRecord record;
  record.id = file_id(key, kFilePrefix);
  if (record.id.name.empty()) fields.fail("key");
  record.bytes = fields.number<std::uint64_t>("bytes");
  record.sha256 = fields.text("sha256");
  record.scrubbed_at_ms = fields.number<std::int64_t>("scrubbed_at_ms");
  record.moved_at_ms = fields.number<std::int64_t>("moved_at_ms");
  record.removed_at_ms = fields.number<std::int64_t>("removed_at_ms");
  Result<std::optional<FileCopy>> copy = copy_of(key, fields);
  if (!copy.ok()) return std::move(copy).error();
  record.copy = std::move(copy).value();
  Result<std::optional<FileFinding>> finding = finding_of(key, fields);
  if (!finding.ok()) return std::move(finding).error();
  record.finding = std::move(finding).value();
  return fields.finish(std::move(record));
}

std::string to_json(const CopyingRecord& record) {
  return dump_record({{"upload_id", record.upload_id},
                      {"part_bytes", record.part_bytes},
                      {"parts", record.parts},
                      {"sum", midstate_text(record.sum)}});
}

Result<CopyingRecord> parse_copying(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  CopyingRecord record;
  record.upload_id = fields.text("upload_id");
  record.part_bytes = fields.number<std::uint64_t>("part_bytes");
  record.parts = fields.number<std::uint64_t>("parts");
  record.sum = midstate(fields, "sum");
  if (record.part_bytes == 0) fields.fail("part_bytes");
  return fields.finish(std::move(record));
}

std::string to_json(const UploadedPart& part) {
  return dump_record({{"etag", part.etag}, {"sha256", part.checksum_sha256}});
}

Result<UploadedPart> parse_part(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  UploadedPart part;
  part.etag = fields.text("etag");
  part.checksum_sha256 = fields.text("sha256");
  return fields.finish(std::move(part));
}

std::string to_json(const ScrubRecord& record) {
  return dump_record({{"round_began_at_ms", record.round_began_at_ms},
                      {"round_ended_at_ms", record.round_ended_at_ms},
                      {"title", record.at.title},
                      {"version", record.at.version},
                      {"name", record.at.name},
                      {"done", record.is_done},
                      {"offset", record.offset},
                      {"sum", midstate_text(record.sum)},
                      {"bytes", record.bytes}});
}

Result<ScrubRecord> parse_scrub(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  ScrubRecord record;
  record.round_began_at_ms = fields.number<std::int64_t>("round_began_at_ms");
  record.round_ended_at_ms = fields.number<std::int64_t>("round_ended_at_ms");
  record.at = {fields.text("title"), fields.text("version"), fields.text("name")};
  record.is_done = fields.flag("done");
  record.offset = fields.number<std::uint64_t>("offset");
  record.sum = midstate(fields, "sum");
  record.bytes = fields.number<std::uint64_t>("bytes");
  return fields.finish(std::move(record));
}

std::string to_json(const UseRecord& record) {
  Json superseded = Json::array();
  for (const UseRecord::Superseded& each : record.superseded) {
    superseded.push_back({{"version", each.version}, {"since_ms", each.since_ms}});
  }
  return dump_record({{"changes", record.changes}, {"current", record.current}, {"superseded", std::move(superseded)}});
}

Result<UseRecord> parse_use(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  UseRecord record;
  record.title = after_prefix(key, kUsePrefix);
  record.changes = fields.number<std::int64_t>("changes");
  record.current = fields.text("current");
  const Json* superseded = fields.find("superseded");
  if (superseded == nullptr || !superseded->is_array()) {
    return fields.fail("superseded"), fields.finish(std::move(record));
  }
  for (const Json& entry : *superseded) {
    RecordFields each(key, entry);
    UseRecord::Superseded parsed{each.text("version"), each.number<std::int64_t>("since_ms")};
    Result<UseRecord::Superseded> checked = each.finish(std::move(parsed));
    if (!checked.ok()) return std::move(checked).error();
    record.superseded.push_back(std::move(checked).value());
  }
  return fields.finish(std::move(record));
}

std::string hold_json(std::int64_t until_ms) {
  return dump_record({{"until_ms", until_ms}});
}

Result<std::int64_t> parse_hold(std::string_view key, std::string_view json) {
  RecordFields fields(key, json);
  return fields.finish(fields.number<std::int64_t>("until_ms"));
}

}  // namespace reelway::origin
