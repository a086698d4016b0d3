#include "origin/store/store_records.h"

#include "common/base/bytes.h"
#include "common/base/encoding.h"

namespace reelway::origin::records {
namespace {

// Every record begins with this, so that a later form can stand beside it.
constexpr std::uint8_t kRecordForm = 1;
constexpr std::uint8_t kLogPut = 1;
constexpr std::uint8_t kLogErase = 2;

std::string text_of(ByteWriter& writer) {
  return std::string(as_text(writer.bytes()));
}

Error corrupt(std::string_view family, std::string_view key) {
  std::string detail = "control store, family ";
  detail.append(family).append(", key ");
  // Log keys are binary; keys of the kv family are text.
  detail.append(family == "log" ? hex(as_bytes(key)) : std::string(key));
  return {ErrorCode::stored_data_corrupt, Side::disk, false, std::move(detail)};
}

}  // namespace

std::string kv_value(const KeyValue& entry) {
  ByteWriter writer;
  writer.u8(kRecordForm);
  writer.i64(entry.create_revision);
  writer.i64(entry.mod_revision);
  writer.i64(entry.version);
  writer.append(entry.value);
  return text_of(writer);
}

Result<KeyValue> parse_kv(std::string_view key, std::string_view bytes) {
  ByteReader reader(as_bytes(bytes));
  KeyValue entry;
  entry.key = key;
  const bool known = reader.u8() == kRecordForm;
  entry.create_revision = reader.i64();
  entry.mod_revision = reader.i64();
  entry.version = reader.i64();
  if (!known || reader.failed()) return corrupt("kv", key);
  entry.value = as_text(reader.take(reader.remaining()));
  return entry;
}

std::string log_key(Revision revision, std::uint32_t position) {
  ByteWriter writer;
  writer.i64(revision);
  writer.u32(position);
  return text_of(writer);
}

std::optional<Revision> log_revision(std::string_view key) {
  ByteReader reader(as_bytes(key));
  const Revision revision = reader.i64();
  reader.u32();
  if (reader.failed() || !reader.at_end()) return std::nullopt;
  return revision;
}

std::string log_value(const WatchBatch::Event& event) {
  ByteWriter writer;
  writer.u8(kRecordForm);
  writer.u8(event.erased ? kLogErase : kLogPut);
  writer.i64(event.entry.create_revision);
  writer.i64(event.entry.mod_revision);
  writer.i64(event.entry.version);
  writer.u32(static_cast<std::uint32_t>(event.entry.key.size()));
  writer.append(event.entry.key);
  writer.append(event.entry.value);
  return text_of(writer);
}

Result<WatchBatch::Event> parse_log(std::string_view key, std::string_view bytes) {
  ByteReader reader(as_bytes(bytes));
  const bool known = reader.u8() == kRecordForm;
  const std::uint8_t kind = reader.u8();
  WatchBatch::Event event;
  event.erased = kind == kLogErase;
  event.entry.create_revision = reader.i64();
  event.entry.mod_revision = reader.i64();
  event.entry.version = reader.i64();
  event.entry.key = as_text(reader.take(reader.u32()));
  if (!known || (kind != kLogPut && kind != kLogErase) || reader.failed()) return corrupt("log", key);
  event.entry.value = as_text(reader.take(reader.remaining()));
  return event;
}

std::string number_value(std::int64_t number) {
  ByteWriter writer;
  writer.i64(number);
  return text_of(writer);
}

std::optional<std::int64_t> parse_number(std::string_view bytes) {
  ByteReader reader(as_bytes(bytes));
  const std::int64_t number = reader.i64();
  if (reader.failed() || !reader.at_end()) return std::nullopt;
  return number;
}

}  // namespace reelway::origin::records
