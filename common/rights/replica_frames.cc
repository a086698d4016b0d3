#include "common/rights/replica_frames.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/crc32c.h"

// Each frame type has one write_payload() and one read function; the table below joins a type's number with its
// reader. A reader takes the whole payload or refuses the frame, so one frame has one form.

namespace reelway::rights {
namespace {

// 1 was the HELLO of format 1.
enum class Type : std::uint8_t { former_hello = 1, events, beat, gone, moved, records, end, buckets, hello };

constexpr std::size_t kHeadBytes = 5;
constexpr std::size_t kSumBytes = 4;
constexpr std::size_t kChangesMax = kFrameRecordsMax;

Error malformed(std::string detail) {
  return {ErrorCode::replica_malformed, Side::upstream, true, std::move(detail)};
}

void write_text(ByteWriter& writer, const std::string& text) {
  CHECK(text.size() <= kClusterBytesMax);
  writer.u8(static_cast<std::uint8_t>(text.size()));
  writer.append(text);
}

void write_sum(ByteWriter& writer, const Sum128& sum) {
  writer.u64(sum.high);
  writer.u64(sum.low);
}

Type write_payload(ByteWriter& writer, const HelloFrame& frame) {
  writer.u8(kStreamFormat);
  write_text(writer, frame.cluster);
  writer.u32(frame.shard);
  writer.i64(frame.revision);
  return Type::hello;
}

Type write_payload(ByteWriter& writer, const EventsFrame& frame) {
  CHECK(frame.changes.size() <= kChangesMax);
  writer.i64(frame.previous);
  writer.i64(frame.revision);
  writer.u16(static_cast<std::uint16_t>(frame.changes.size()));
  for (const ReplicaChange& change : frame.changes) {
    writer.append(change.id);
    writer.u8(change.record ? 1 : 0);
    if (change.record) writer.append(encode(*change.record));
  }
  return Type::events;
}

Type write_payload(ByteWriter& writer, const BeatFrame& frame) {
  writer.i64(frame.previous);
  writer.i64(frame.revision);
  writer.i64(frame.origin_time_ms);
  writer.i64(frame.floor);
  writer.u64(frame.records);
  write_sum(writer, frame.root);
  return Type::beat;
}

Type write_payload(ByteWriter& writer, const GoneFrame& frame) {
  writer.i64(frame.floor);
  return Type::gone;
}

Type write_payload(ByteWriter& writer, const MovedFrame& frame) {
  write_text(writer, frame.cluster);
  return Type::moved;
}

Type write_payload(ByteWriter& writer, const RecordsFrame& frame) {
  CHECK(frame.records.size() <= kFrameRecordsMax);
  writer.u16(static_cast<std::uint16_t>(frame.records.size()));
  for (const ReplicaRecord& record : frame.records) {
    writer.append(record.id);
    writer.i64(record.mod_revision);
    writer.append(encode(record.record));
  }
  return Type::records;
}

Type write_payload(ByteWriter& writer, const EndFrame& frame) {
  writer.u64(frame.records);
  writer.i64(frame.revision);
  return Type::end;
}

Type write_payload(ByteWriter& writer, const BucketsFrame& frame) {
  CHECK(frame.sums.size() == kBuckets);
  writer.i64(frame.revision);
  for (const Sum128& sum : frame.sums) write_sum(writer, sum);
  return Type::buckets;
}

std::string read_text(ByteReader& reader) {
  return std::string(as_text(reader.take(std::min<std::size_t>(reader.u8(), kClusterBytesMax + 1))));
}

Sum128 read_sum(ByteReader& reader) {
  Sum128 sum;
  sum.high = reader.u64();
  sum.low = reader.u64();
  return sum;
}

EntitlementId read_id(ByteReader& reader) {
  EntitlementId id{};
  const ByteView bytes = reader.take(id.size());
  std::copy(bytes.begin(), bytes.end(), id.begin());
  return id;
}

// Nothing as well when the reader has failed.
std::optional<Record> read_record(ByteReader& reader) {
  return decode(reader.take(kRecordBytes));
}

std::optional<Frame> read_hello(ByteReader& reader) {
  HelloFrame frame;
  if (reader.u8() != kStreamFormat) return std::nullopt;
  frame.cluster = read_text(reader);
  frame.shard = reader.u32();
  frame.revision = reader.i64();
  if (frame.cluster.size() > kClusterBytesMax || frame.revision < 0) return std::nullopt;
  return frame;
}

std::optional<Frame> read_events(ByteReader& reader) {
  EventsFrame frame;
  frame.previous = reader.i64();
  frame.revision = reader.i64();
  const std::size_t count = reader.u16();
  if (count > kChangesMax || frame.previous < 0 || frame.revision <= frame.previous) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    ReplicaChange change;
    change.id = read_id(reader);
    const std::uint8_t present = reader.u8();
    if (reader.failed() || present > 1) return std::nullopt;
    if (present == 1 && !(change.record = read_record(reader))) return std::nullopt;
    frame.changes.push_back(change);
  }
  return frame;
}

std::optional<Frame> read_beat(ByteReader& reader) {
  BeatFrame frame;
  frame.previous = reader.i64();
  frame.revision = reader.i64();
  frame.origin_time_ms = reader.i64();
  frame.floor = reader.i64();
  frame.records = reader.u64();
  frame.root = read_sum(reader);
  if (frame.previous < 0 || frame.revision < frame.previous || frame.origin_time_ms < 0 || frame.floor < 0) {
    return std::nullopt;
  }
  return frame;
}

std::optional<Frame> read_gone(ByteReader& reader) {
  return GoneFrame{reader.i64()};
}

std::optional<Frame> read_moved(ByteReader& reader) {
  MovedFrame frame{read_text(reader)};
  if (frame.cluster.size() > kClusterBytesMax) return std::nullopt;
  return frame;
}

std::optional<Frame> read_records(ByteReader& reader) {
  RecordsFrame frame;
  const std::size_t count = reader.u16();
  if (count > kFrameRecordsMax) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    ReplicaRecord record;
    record.id = read_id(reader);
    record.mod_revision = reader.i64();
    const auto value = read_record(reader);
    if (!value || record.mod_revision <= 0) return std::nullopt;
    record.record = *value;
    frame.records.push_back(record);
  }
  return frame;
}

std::optional<Frame> read_end(ByteReader& reader) {
  EndFrame frame;
  frame.records = reader.u64();
  frame.revision = reader.i64();
  if (frame.revision < 0) return std::nullopt;
  return frame;
}

std::optional<Frame> read_buckets(ByteReader& reader) {
  BucketsFrame frame;
  frame.revision = reader.i64();
  for (std::size_t i = 0; i < kBuckets && !reader.failed(); ++i) frame.sums.push_back(read_sum(reader));
  if (frame.revision < 0) return std::nullopt;
  return frame;
}

std::optional<Frame> read_payload(std::uint8_t type, ByteReader& reader) {
  switch (static_cast<Type>(type)) {
    case Type::former_hello: return std::nullopt;
    case Type::hello: return read_hello(reader);
    case Type::events: return read_events(reader);
    case Type::beat: return read_beat(reader);
    case Type::gone: return read_gone(reader);
    case Type::moved: return read_moved(reader);
    case Type::records: return read_records(reader);
    case Type::end: return read_end(reader);
    case Type::buckets: return read_buckets(reader);
  }
  return std::nullopt;
}

// The format of a HELLO, of whatever format; nothing for other frames.
std::optional<int> hello_format(std::uint8_t type, ByteView payload) {
  if (static_cast<Type>(type) == Type::former_hello) return 1;
  if (static_cast<Type>(type) != Type::hello || payload.empty()) return std::nullopt;
  return payload.front();
}

}  // namespace

std::string encode_frame(const Frame& frame) {
  ByteWriter writer;
  writer.zeros(kHeadBytes);
  const Type type = std::visit([&writer](const auto& content) { return write_payload(writer, content); }, frame);
  Bytes bytes = writer.take();
  const std::size_t payload = bytes.size() - kHeadBytes;
  CHECK(payload <= kFramePayloadMax);
  for (int i = 0; i < 4; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(payload >> (24 - 8 * i));
  bytes[4] = static_cast<std::uint8_t>(type);
  ByteWriter sum;
  sum.u32(crc32c(bytes));
  std::string text(as_text(bytes));
  text += as_text(sum.bytes());
  return text;
}

void FrameReader::feed(ByteView bytes) {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
}

Result<std::optional<Frame>> FrameReader::next() {
  const ByteView left = ByteView(pending_).subspan(taken_);
  ByteReader head{left};
  const std::size_t payload = head.u32();
  const std::uint8_t type = head.u8();
  if (left.size() >= kHeadBytes && payload > kFramePayloadMax) {
    return malformed("a frame of " + std::to_string(payload) + " bytes, over " + std::to_string(kFramePayloadMax));
  }
  if (left.size() < kHeadBytes || left.size() < kHeadBytes + payload + kSumBytes) return std::optional<Frame>{};
  ByteReader tail{left.subspan(kHeadBytes + payload, kSumBytes)};
  if (tail.u32() != crc32c(left.first(kHeadBytes + payload))) return malformed("a frame's checksum is wrong");
  const auto format = hello_format(type, left.subspan(kHeadBytes, payload));
  if (format && *format != kStreamFormat) {
    return malformed("the origin speaks format " + std::to_string(*format) +
                     " of the change stream, this edge format " + std::to_string(kStreamFormat) +
                     ": run the same version of both");
  }
  ByteReader content{left.subspan(kHeadBytes, payload)};
  auto frame = read_payload(type, content);
  if (!frame || content.failed() || !content.at_end()) {
    return malformed("a frame of type " + std::to_string(type) + " has a content that is not of its form");
  }
  taken_ += kHeadBytes + payload + kSumBytes;
  return frame;
}

}  // namespace reelway::rights
