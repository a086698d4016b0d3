#include "common/base/crc32c.h"
#include "origin/mp4/track_index.h"
#include "origin/mp4/units.h"

// The stored form of a track index: docs/formats/track_index.md. What follows from other fields (unit times and
// ranges, the media duration) is not stored, so it cannot contradict them.

namespace reelway::origin::mp4 {
namespace {

constexpr std::uint32_t kMagic = four_cc("RWTI");
constexpr std::uint16_t kFormat = 2;
constexpr std::size_t kUnitBytes = 8;
constexpr std::size_t kPlainSampleBytes = 12;
constexpr std::uint32_t kSyncBit = 1u << 31;
static_assert(kSampleBytesMax < kSyncBit);

Error bad_index(const std::string& what) {
  return {ErrorCode::index_malformed, Side::disk, false, what};
}

void write_text(ByteWriter& out, std::string_view text) {
  out.u16(static_cast<std::uint16_t>(text.size()));
  out.append(text);
}

std::string read_text(ByteReader& in) {
  return std::string(as_text(in.take(in.u16())));
}

void write_tables(ByteWriter& out, const TrackIndex& index) {
  out.u32(static_cast<std::uint32_t>(index.units.size()));
  out.u32(static_cast<std::uint32_t>(index.samples.size()));
  for (const Unit unit : index.units) {
    out.u32(unit.sample_count);
    out.u32(unit.crc32c);
  }
  out.append(index.samples.packed());
}

// Format 1: twelve bytes a sample.
Result<SampleTable> read_plain_samples(ByteReader& in, std::uint32_t count) {
  if (std::uint64_t{count} * kPlainSampleBytes != in.remaining()) return bad_index("its tables do not fit its length");
  std::vector<Sample> samples(count);
  for (Sample& sample : samples) {
    const std::uint32_t bytes = in.u32();
    sample.bytes = bytes & ~kSyncBit;
    sample.sync = (bytes & kSyncBit) != 0;
    sample.duration = in.u32();
    sample.composition_offset = in.i32();
  }
  if (const std::string complaint = sample_complaint(samples); !complaint.empty()) return bad_index(complaint);
  return SampleTable(samples);
}

// The counts are checked against the bytes that are left before anything is allocated. Units tile the samples, so
// their first samples follow from their counts.
Result<void> read_tables(ByteReader& in, std::uint16_t format, TrackIndex& index, std::uint64_t file_offset) {
  const std::uint32_t unit_count = in.u32();
  const std::uint32_t sample_count = in.u32();
  if (in.failed() || sample_count > kSamplesMax || unit_count > in.remaining() / kUnitBytes) {
    return bad_index("its tables do not fit its length");
  }
  std::vector<Unit> units(unit_count);
  for (Unit& unit : units) {
    unit.sample_count = in.u32();
    unit.crc32c = in.u32();
  }
  auto samples =
      format == 1 ? read_plain_samples(in, sample_count) : SampleTable::parse(in.take(in.remaining()), sample_count);
  if (!samples) return std::move(samples).error();
  index.samples = std::move(samples).value();
  if (!place_units(index, std::move(units), file_offset)) return bad_index("its units do not tile its samples");
  return {};
}

// Everything up to the tables. Returns the file offset of the first sample.
std::uint64_t read_head(ByteReader& in, TrackIndex& index) {
  index.timescale = in.u32();
  index.edit_start = in.i64();
  index.edit_duration = in.u64();
  index.width = in.u32();
  index.height = in.u32();
  index.sample_rate = in.u32();
  index.channels = in.u32();
  index.file_bytes = in.u64();
  const std::uint64_t file_offset = in.u64();
  index.codecs = read_text(in);
  index.language = read_text(in);
  const ByteView entry = in.take(in.u32());
  index.sample_entry.assign(entry.begin(), entry.end());
  return file_offset;
}

// What is between the magic and the sum over all.
Result<ByteView> open_envelope(ByteView bytes) {
  ByteReader in(bytes);
  const std::uint32_t magic = in.u32();
  if (in.failed() || in.remaining() < 6) return bad_index("it is cut short");
  if (magic != kMagic) return bad_index("it does not begin with RWTI");
  if (const std::uint16_t format = in.u16(); format != 1 && format != kFormat) {
    return bad_index("it has format " + std::to_string(format) + ", this program reads formats 1 and 2");
  }
  if (ByteReader(bytes.last(4)).u32() != crc32c(bytes.first(bytes.size() - 4))) {
    return bad_index("its CRC-32C does not fit its bytes");
  }
  return bytes.subspan(4, bytes.size() - 8);
}

}  // namespace

Bytes serialize_index(const TrackIndex& index) {
  ByteWriter out;
  out.u32(kMagic);
  out.u16(kFormat);
  out.u16(index.kind == TrackKind::video ? 0 : 1);
  out.u32(index.timescale);
  out.i64(index.edit_start);
  out.u64(index.edit_duration);
  for (const std::uint32_t value : {index.width, index.height, index.sample_rate, index.channels}) out.u32(value);
  out.u64(index.file_bytes);
  out.u64(index.units.empty() ? 0 : index.units.front().file_offset);
  write_text(out, index.codecs);
  write_text(out, index.language);
  out.u32(static_cast<std::uint32_t>(index.sample_entry.size()));
  out.append(index.sample_entry);
  write_tables(out, index);
  out.u32(crc32c(out.bytes()));
  return out.take();
}

Result<TrackIndex> parse_index(ByteView bytes) {
  const auto body = open_envelope(bytes);
  if (!body) return body.error();
  ByteReader in(*body);
  TrackIndex index;
  const std::uint16_t format = in.u16();
  const std::uint16_t kind = in.u16();
  if (kind > 1) return bad_index("its kind is unknown");
  index.kind = kind == 0 ? TrackKind::video : TrackKind::audio;
  const std::uint64_t file_offset = read_head(in, index);
  if (in.failed()) return bad_index("it is cut short");
  // Bounds what place_units adds up, which starts here.
  if (file_offset > index.file_bytes || index.file_bytes > UINT64_MAX / 2) return bad_index("its file range is wrong");
  REELWAY_TRY(read_tables(in, format, index, file_offset));
  if (const std::string complaint = index_complaint(index); !complaint.empty()) return bad_index(complaint);
  return index;
}

}  // namespace reelway::origin::mp4
