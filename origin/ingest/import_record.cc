#include "origin/ingest/import_record.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "common/base/encoding.h"

namespace reelway::origin {
namespace {

using Json = nlohmann::json;

constexpr int kRecordFormat = 1;
constexpr std::array<std::string_view, 4> kStates{"queued", "done", "failed", "cancelled"};
constexpr std::array kChecksums{ChecksumKind::sha256, ChecksumKind::crc32c, ChecksumKind::crc32, ChecksumKind::md5};

Json checksum_value(const std::optional<ExpectedChecksum>& checksum) {
  if (!checksum) return nullptr;
  return {{"kind", name_of(checksum->kind)}, {"hex", hex(checksum->value)}};
}

// Throws nlohmann's exceptions for what is missing or of another kind.
std::optional<ExpectedChecksum> read_checksum(const Json& value) {
  if (value.is_null()) return std::nullopt;
  const auto kind = value.at("kind").get<std::string>();
  auto bytes = from_hex(value.at("hex").get<std::string>());
  const auto known =
      std::find_if(kChecksums.begin(), kChecksums.end(), [&](ChecksumKind k) { return name_of(k) == kind; });
  if (known == kChecksums.end() || !bytes) throw std::runtime_error("checksum");
  return ExpectedChecksum{*known, std::move(*bytes)};
}

std::optional<Error> read_error(const Json& value) {
  if (value.is_null()) return std::nullopt;
  Error error;
  const auto code = value.at("code").get<std::string>();
  for (const ErrorInfo& info : error_table()) {
    if (info.name == code) error.code = info.code;
  }
  error.detail = value.at("detail").get<std::string>();
  return error;
}

ImportState read_state(const std::string& name) {
  const auto found = std::find(kStates.begin(), kStates.end(), name);
  if (found == kStates.end()) throw std::runtime_error("state");
  return static_cast<ImportState>(found - kStates.begin());
}

ImportRecord read(std::string_view key, const Json& json) {
  if (json.at("format").get<int>() != kRecordFormat) throw std::runtime_error("format");
  ImportRecord record;
  record.import = key.substr(std::min(key.size(), kImportPrefix.size()));
  record.store = json.at("store").get<std::string>();
  record.bucket = json.at("bucket").get<std::string>();
  record.key = json.at("key").get<std::string>();
  record.url = json.value("url", "");
  record.url_shown = json.value("url_shown", "");
  record.ranges = json.value("ranges", true);
  record.etag = json.at("etag").get<std::string>();
  record.size_bytes = json.at("size_bytes").get<std::uint64_t>();
  record.part_bytes = json.at("part_bytes").get<std::uint64_t>();
  if (record.part_bytes == 0) throw std::runtime_error("part_bytes");
  record.checksum = read_checksum(json.at("checksum"));
  record.title = json.at("title").get<std::string>();
  record.new_version = json.at("new_version").get<bool>();
  record.upload = json.at("upload").get<std::string>();
  record.state = read_state(json.at("state").get<std::string>());
  record.sha256 = json.at("sha256").get<std::string>();
  record.created_at_ms = json.at("created_at_ms").get<std::int64_t>();
  record.ended_at_ms = json.at("ended_at_ms").get<std::int64_t>();
  record.error = read_error(json.at("error"));
  return record;
}

}  // namespace

std::string import_key(std::string_view import) {
  return std::string(kImportPrefix).append(import);
}

std::string_view name_of(ImportState state) {
  return kStates[static_cast<std::size_t>(state)];
}

std::string source_of(const ImportRecord& record) {
  return record.url.empty() ? "s3://" + record.bucket + "/" + record.key : record.url_shown;
}

std::string to_json(const ImportRecord& record) {
  Json json = {{"format", kRecordFormat},
               {"store", record.store},
               {"bucket", record.bucket},
               {"key", record.key},
               {"url", record.url},
               {"url_shown", record.url_shown},
               {"ranges", record.ranges},
               {"etag", record.etag},
               {"size_bytes", record.size_bytes},
               {"part_bytes", record.part_bytes},
               {"checksum", checksum_value(record.checksum)},
               {"title", record.title},
               {"new_version", record.new_version},
               {"upload", record.upload},
               {"state", name_of(record.state)},
               {"sha256", record.sha256},
               {"created_at_ms", record.created_at_ms},
               {"ended_at_ms", record.ended_at_ms},
               {"error", nullptr}};
  if (record.error) json["error"] = {{"code", record.error->info().name}, {"detail", record.error->detail}};
  // An ETag or an error's detail may hold a server's bytes that are not UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ImportRecord> parse_import(std::string_view key, std::string_view json) {
  try {
    return read(key, Json::parse(json));
  } catch (const std::exception& broken) {
    return Error{ErrorCode::stored_data_corrupt, Side::disk, false,
                 "control store, key " + std::string(key) + ": " + broken.what()};
  }
}

}  // namespace reelway::origin
