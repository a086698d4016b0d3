#include "edge/store/disk_record.h"

#include <string>
#include <utility>

#include "common/base/crc32c.h"

namespace reelway::edge {
namespace {

constexpr std::size_t kSumBytes = 4;
constexpr std::uint8_t kFormatBeforeSites = 1;
constexpr std::uint8_t kFormatBeforeSlices = 2;

enum MetaFlag : std::uint8_t { kMustRevalidate = 1, kAlwaysValidate = 2, kHeuristic = 4 };

void write_text(ByteWriter& out, std::string_view text) {
  out.u32(static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

std::string read_text(ByteReader& in) {
  return std::string(as_text(in.take(in.u32())));
}

void write_texts(ByteWriter& out, const std::vector<std::string>& texts) {
  out.u16(static_cast<std::uint16_t>(texts.size()));
  for (const std::string& text : texts) write_text(out, text);
}

std::vector<std::string> read_texts(ByteReader& in) {
  std::vector<std::string> texts;
  for (std::uint16_t left = in.u16(); left > 0 && !in.failed(); --left) texts.push_back(read_text(in));
  return texts;
}

// What format 2 added.
void write_reuse(ByteWriter& out, const ObjectMeta& meta) {
  write_text(out, meta.headers);
  write_texts(out, meta.tags);
  write_texts(out, meta.vary);
  out.u32(meta.stale_while_revalidate_s);
  out.u32(meta.stale_if_error_s);
  out.u8(static_cast<std::uint8_t>((meta.must_revalidate ? kMustRevalidate : 0) |
                                   (meta.always_validate ? kAlwaysValidate : 0) | (meta.heuristic ? kHeuristic : 0)));
  out.u64(meta.purge_epoch);
}

void read_reuse(ByteReader& in, ObjectMeta& meta) {
  meta.headers = read_text(in);
  meta.tags = read_texts(in);
  meta.vary = read_texts(in);
  meta.stale_while_revalidate_s = in.u32();
  meta.stale_if_error_s = in.u32();
  const std::uint8_t flags = in.u8();
  meta.must_revalidate = (flags & kMustRevalidate) != 0;
  meta.always_validate = (flags & kAlwaysValidate) != 0;
  meta.heuristic = (flags & kHeuristic) != 0;
  meta.purge_epoch = in.u64();
}

// What format 3 added.
void write_slicing(ByteWriter& out, const ObjectMeta& meta) {
  out.u64(meta.sliced_bytes);
  out.u64(meta.slice_bytes);
}

void read_slicing(ByteReader& in, ObjectMeta& meta) {
  meta.sliced_bytes = in.u64();
  meta.slice_bytes = in.u64();
}

bool is_known_format(std::uint8_t format) {
  return format >= kFormatBeforeSites && format <= DiskRecord::kFormat;
}

void write_meta(ByteWriter& out, const ObjectMeta& meta) {
  write_text(out, meta.key);
  out.u16(meta.status);
  for (const auto* text :
       {&meta.content_type, &meta.etag, &meta.last_modified, &meta.cache_control, &meta.content_encoding}) {
    write_text(out, *text);
  }
  out.u64(meta.length.value_or(0));
  out.u32(meta.crc32c.value_or(0));
  out.i64(meta.received_ms);
  out.i64(meta.date_ms);
  out.u32(meta.age_s);
  out.i64(meta.fresh_until_ms);
  write_reuse(out, meta);
  write_slicing(out, meta);
}

ObjectMeta read_meta(ByteReader& in, std::uint8_t format) {
  ObjectMeta meta;
  meta.key = read_text(in);
  meta.status = in.u16();
  for (auto* text :
       {&meta.content_type, &meta.etag, &meta.last_modified, &meta.cache_control, &meta.content_encoding}) {
    *text = read_text(in);
  }
  meta.length = in.u64();
  meta.crc32c = in.u32();
  meta.received_ms = in.i64();
  meta.date_ms = in.i64();
  meta.age_s = in.u32();
  meta.fresh_until_ms = in.i64();
  if (format != kFormatBeforeSites) read_reuse(in, meta);
  if (format > kFormatBeforeSlices) read_slicing(in, meta);
  return meta;
}

bool is_possible(const StoredExtent& part, std::uint64_t body_offset) {
  const Extent& extent = part.extent;
  return extent.order <= Extent::kOrderMax && extent.granule % (1u << extent.order) == 0 && part.bytes > 0 &&
         part.bytes <= extent.bytes() && body_offset % Extent::kGranuleBytes == 0 &&
         body_offset % Extent::kBytesMax + part.bytes <= Extent::kBytesMax;
}

bool parts_make_body(const std::vector<StoredExtent>& extents, std::uint64_t body_bytes, std::uint32_t body_crc) {
  std::uint64_t length = 0;
  std::uint32_t crc = 0;
  for (const StoredExtent& part : extents) {
    if (!is_possible(part, length)) return false;
    crc = length == 0 ? part.crc32c : crc32c_combine(crc, part.crc32c, part.bytes);
    length += part.bytes;
  }
  return length == body_bytes && crc == body_crc;
}

// The record without its sum, or empty when the sum is wrong.
ByteView checked_content(ByteView bytes) {
  if (bytes.size() < kSumBytes) return {};
  const ByteView content = bytes.first(bytes.size() - kSumBytes);
  return ByteReader(bytes.last(kSumBytes)).u32() == crc32c(content) ? content : ByteView();
}

void read_extents(ByteReader& in, std::vector<StoredExtent>& extents) {
  extents.clear();
  for (std::uint32_t left = in.u32(); left > 0 && !in.failed(); --left) {
    StoredExtent part;
    part.extent.granule = in.u32();
    part.extent.order = in.u8();
    part.bytes = in.u32();
    part.crc32c = in.u32();
    extents.push_back(part);
  }
}

void skip_texts(ByteReader& in, std::uint32_t count) {
  for (; count > 0 && !in.failed(); --count) in.skip(in.u32());
}

// What of the metadata a summary takes; the rest is passed over. Returns the body's sum.
std::uint32_t summarize_meta(ByteReader& in, std::uint8_t format, RecordSummary& summary) {
  constexpr std::uint32_t kTexts = 5;
  constexpr std::size_t kTimes = 8 + 8 + 4 + 8;  // received, date, age, fresh until
  constexpr std::size_t kReuse = 4 + 4 + 1;      // stale while revalidate, stale if error, flags
  constexpr std::size_t kSlicing = 8 + 8;
  in.u16();
  skip_texts(in, kTexts);
  summary.body_bytes = in.u64();
  const std::uint32_t crc = in.u32();
  in.skip(kTimes);
  summary.tags.clear();
  summary.purge_epoch = 0;
  if (format == kFormatBeforeSites) return crc;
  in.skip(in.u32());
  for (std::uint16_t left = in.u16(); left > 0 && !in.failed(); --left) {
    summary.tags.push_back(as_text(in.take(in.u32())));
  }
  skip_texts(in, in.u16());
  in.skip(kReuse);
  summary.purge_epoch = in.u64();
  if (format != kFormatBeforeSlices) in.skip(kSlicing);
  return crc;
}

}  // namespace

Bytes encode_record(const DiskRecord& record) {
  ByteWriter out;
  out.u8(DiskRecord::kFormat);
  out.u64(record.sequence);
  write_meta(out, record.meta);
  out.u8(record.is_inline ? 1 : 0);
  out.u32(static_cast<std::uint32_t>(record.extents.size()));
  for (const StoredExtent& part : record.extents) {
    out.u32(part.extent.granule);
    out.u8(part.extent.order);
    out.u32(part.bytes);
    out.u32(part.crc32c);
  }
  out.u32(crc32c(out.bytes()));
  return out.take();
}

void freshen_record(DiskRecord& record, ObjectMeta meta) {
  meta.key = std::move(record.meta.key);
  meta.status = record.meta.status;
  meta.length = record.meta.length;
  meta.crc32c = record.meta.crc32c;
  record.meta = std::move(meta);
}

std::optional<DiskRecord> decode_record(std::string_view key, ByteView bytes) {
  ByteReader in(checked_content(bytes));
  DiskRecord record;
  const std::uint8_t format = in.u8();
  if (!is_known_format(format)) return std::nullopt;
  record.sequence = in.u64();
  record.meta = read_meta(in, format);
  record.is_inline = in.u8() != 0;
  read_extents(in, record.extents);
  if (in.failed() || !in.at_end() || record.meta.key != key) return std::nullopt;
  if (record.is_inline) return record.extents.empty() ? std::optional(std::move(record)) : std::nullopt;
  const bool fits = parts_make_body(record.extents, *record.meta.length, *record.meta.crc32c);
  return fits ? std::optional(std::move(record)) : std::nullopt;
}

bool summarize_record(std::string_view key, ByteView bytes, RecordSummary& summary) {
  ByteReader in(checked_content(bytes));
  const std::uint8_t format = in.u8();
  if (!is_known_format(format)) return false;
  summary.sequence = in.u64();
  const std::string_view own_key = as_text(in.take(in.u32()));
  const std::uint32_t crc = summarize_meta(in, format, summary);
  summary.is_inline = in.u8() != 0;
  read_extents(in, summary.extents);
  if (in.failed() || !in.at_end() || own_key != key) return false;
  return summary.is_inline ? summary.extents.empty() : parts_make_body(summary.extents, summary.body_bytes, crc);
}

}  // namespace reelway::edge
