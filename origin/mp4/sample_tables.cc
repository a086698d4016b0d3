#include "origin/mp4/sample_tables.h"

#include <string>

#include "origin/mp4/box.h"

// Model: the sizes table says how many samples there are; that number is bounded before anything is allocated. Each
// other table is then laid over the samples and must end exactly at the last one. Chunks are walked at the end, to
// prove that the file holds the samples as one run.

namespace reelway::origin::mp4 {
namespace {

struct Table {
  FourCc type = 0;
  std::uint8_t version = 0;
  std::uint32_t count = 0;
  ByteReader rows;
};

// The entry count must fit into the box, so loops over it are bounded by the bytes that came.
Result<Table> open_table(const std::optional<ByteView>& body, FourCc type, std::size_t row_bytes) {
  if (!body) return malformed(type, "is missing");
  Table table{type, 0, 0, ByteReader(*body)};
  table.version = table.rows.u8();
  table.rows.u24();
  table.count = table.rows.u32();
  if (table.rows.failed()) return malformed(type, "cut short");
  if (table.count > table.rows.remaining() / row_bytes) {
    return malformed(type, std::to_string(table.count) + " entries do not fit into the box");
  }
  return table;
}

Result<void> check_count(FourCc type, std::uint32_t count) {
  if (count == 0) return Error{ErrorCode::media_zero_duration, Side::client, false, "the track has no samples"};
  if (count > kSamplesMax) {
    return unsupported(type, std::to_string(count) + " samples, at most " + std::to_string(kSamplesMax));
  }
  return {};
}

Result<std::vector<Sample>> read_stsz(ByteView body) {
  constexpr FourCc type = four_cc("stsz");
  ByteReader reader(body);
  reader.u32();
  const std::uint32_t common_size = reader.u32();
  const std::uint32_t count = reader.u32();
  if (reader.failed()) return malformed(type, "cut short");
  if (common_size == 0 && count > reader.remaining() / 4) {
    return malformed(type, std::to_string(count) + " entries do not fit into the box");
  }
  if (auto good = check_count(type, count); !good) return std::move(good).error();
  std::vector<Sample> samples(count);
  for (Sample& sample : samples) sample.bytes = common_size != 0 ? common_size : reader.u32();
  return samples;
}

Result<std::vector<Sample>> read_stz2(ByteView body) {
  constexpr FourCc type = four_cc("stz2");
  ByteReader reader(body);
  reader.skip(7);
  const std::uint8_t bits = reader.u8();
  const std::uint32_t count = reader.u32();
  if (reader.failed()) return malformed(type, "cut short");
  if (bits != 4 && bits != 8 && bits != 16) return malformed(type, "field_size " + std::to_string(bits));
  if ((std::uint64_t{count} * bits + 7) / 8 > reader.remaining()) {
    return malformed(type, std::to_string(count) + " entries do not fit into the box");
  }
  if (auto good = check_count(type, count); !good) return std::move(good).error();
  std::vector<Sample> samples(count);
  std::uint8_t pair = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (bits == 4) {
      if (i % 2 == 0) pair = reader.u8();
      samples[i].bytes = i % 2 == 0 ? pair >> 4 : pair & 15;
    } else {
      samples[i].bytes = bits == 8 ? reader.u8() : reader.u16();
    }
  }
  return samples;
}

Result<std::vector<Sample>> read_sizes(const SampleTables& tables) {
  if (tables.stsz && tables.stz2) return malformed(four_cc("stz2"), "beside stsz");
  if (tables.stsz) return read_stsz(*tables.stsz);
  if (tables.stz2) return read_stz2(*tables.stz2);
  return malformed(four_cc("stsz"), "is missing");
}

// Lays a table of (count, value) over the samples.
template <class Set>
Result<void> lay_runs(Table& table, std::vector<Sample>& samples, Set set) {
  std::size_t next = 0;
  for (std::uint32_t row = 0; row < table.count; ++row) {
    const std::uint32_t run = table.rows.u32();
    const std::uint32_t value = table.rows.u32();
    if (run > samples.size() - next) return malformed(table.type, "describes more samples than there are sizes");
    for (std::uint32_t i = 0; i < run; ++i) REELWAY_TRY(set(samples[next++], value));
  }
  if (next != samples.size()) {
    return malformed(table.type, "describes " + std::to_string(next) + " samples of " + std::to_string(samples.size()));
  }
  return {};
}

Result<void> lay_durations(const SampleTables& tables, std::vector<Sample>& samples) {
  auto table = open_table(tables.stts, four_cc("stts"), 8);
  if (!table) return std::move(table).error();
  return lay_runs(*table, samples, [](Sample& sample, std::uint32_t value) -> Result<void> {
    // A negative delta in a writer's mind; nobody holds a frame for months.
    if (value > INT32_MAX) return malformed(four_cc("stts"), "a sample's duration is over 2147483647 ticks");
    sample.duration = value;
    return {};
  });
}

// Version 0 is unsigned by the standard, but values with the top bit set come from writers that meant version 1.
Result<void> lay_offsets(const SampleTables& tables, std::vector<Sample>& samples) {
  if (!tables.ctts) return {};
  auto table = open_table(tables.ctts, four_cc("ctts"), 8);
  if (!table) return std::move(table).error();
  if (table->version > 1) return malformed(table->type, "version " + std::to_string(table->version) + " is unknown");
  return lay_runs(*table, samples, [](Sample& sample, std::uint32_t value) -> Result<void> {
    sample.composition_offset = static_cast<std::int32_t>(value);
    return {};
  });
}

Result<void> lay_sync(const SampleTables& tables, std::vector<Sample>& samples) {
  if (!tables.stss) return {};  // every sample is a sync sample
  auto table = open_table(tables.stss, four_cc("stss"), 4);
  if (!table) return std::move(table).error();
  for (Sample& sample : samples) sample.sync = false;
  std::uint32_t former = 0;
  for (std::uint32_t row = 0; row < table->count; ++row) {
    const std::uint32_t number = table->rows.u32();
    if (number <= former || number > samples.size()) {
      return malformed(table->type, "sample number " + std::to_string(number) + " is out of order or range");
    }
    samples[number - 1].sync = true;
    former = number;
  }
  return {};
}

struct ChunkOffsets {
  Table table;
  bool wide = false;
  std::uint64_t next() { return wide ? table.rows.u64() : table.rows.u32(); }
};

Result<ChunkOffsets> open_chunk_offsets(const SampleTables& tables) {
  if (tables.stco && tables.co64) return malformed(four_cc("co64"), "beside stco");
  const bool wide = tables.co64.has_value();
  auto table = wide ? open_table(tables.co64, four_cc("co64"), 8) : open_table(tables.stco, four_cc("stco"), 4);
  if (!table) return std::move(table).error();
  return ChunkOffsets{*table, wide};
}

// Hands out how many samples each chunk has, chunk by chunk, from stsc's runs.
class ChunkSizes {
 public:
  ChunkSizes(Table table, std::uint32_t chunk_count) : table_(table), chunk_count_(chunk_count) {
    if (table_.count > 0) next_first_ = table_.rows.u32();
  }

  Result<std::uint32_t> of(std::uint32_t chunk) {  // from 1, each once and in order
    if (chunk == next_first_) REELWAY_TRY(begin_run());
    if (samples_ == 0) return malformed(table_.type, "chunk " + std::to_string(chunk) + " has no samples");
    return samples_;
  }
  bool complete() const { return row_ == table_.count; }

 private:
  Result<void> begin_run() {
    const std::uint32_t first = next_first_;
    samples_ = table_.rows.u32();
    if (table_.rows.u32() != 1) return unsupported(table_.type, "a sample description other than the first");
    ++row_;
    next_first_ = row_ < table_.count ? table_.rows.u32() : 0;
    if (row_ < table_.count && (next_first_ <= first || next_first_ > chunk_count_)) {
      return malformed(table_.type, "first_chunk " + std::to_string(next_first_) + " is out of order or range");
    }
    return {};
  }

  Table table_;
  std::uint32_t chunk_count_;
  std::uint32_t row_ = 0;
  std::uint32_t next_first_ = 0;
  std::uint32_t samples_ = 0;
};

Result<std::uint64_t> walk_chunks(ChunkOffsets offsets, ChunkSizes sizes, const std::vector<Sample>& samples) {
  std::size_t next = 0;
  std::uint64_t start = 0;
  std::uint64_t at = 0;
  for (std::uint32_t chunk = 1; chunk <= offsets.table.count; ++chunk) {
    const std::uint64_t offset = offsets.next();
    const auto count = sizes.of(chunk);
    if (!count) return count.error();
    if (chunk == 1) start = at = offset;
    if (offset != at) {
      return unsupported(offsets.table.type, "chunk " + std::to_string(chunk) + " is at " + std::to_string(offset) +
                                                 ", the one before ends at " + std::to_string(at));
    }
    if (*count > samples.size() - next) return malformed(four_cc("stsc"), "counts more samples than there are sizes");
    for (std::uint32_t i = 0; i < *count; ++i) {
      const std::uint32_t bytes = samples[next++].bytes;
      if (bytes > UINT64_MAX - at) return malformed(offsets.table.type, "offsets overflow");
      at += bytes;
    }
  }
  if (next != samples.size() || !sizes.complete()) {
    return malformed(four_cc("stsc"),
                     "its chunks hold " + std::to_string(next) + " samples of " + std::to_string(samples.size()));
  }
  return start;
}

Result<std::uint64_t> run_offset(const SampleTables& tables, const std::vector<Sample>& samples) {
  auto offsets = open_chunk_offsets(tables);
  if (!offsets) return std::move(offsets).error();
  auto runs = open_table(tables.stsc, four_cc("stsc"), 12);
  if (!runs) return std::move(runs).error();
  return walk_chunks(*offsets, ChunkSizes(*runs, offsets->table.count), samples);
}

}  // namespace

Result<SampleRun> expand_samples(const SampleTables& tables, std::uint64_t file_bytes) {
  auto samples = read_sizes(tables);
  if (!samples) return std::move(samples).error();
  for (auto lay : {lay_durations, lay_offsets, lay_sync}) {
    if (auto laid = lay(tables, *samples); !laid) return std::move(laid).error();
  }
  const auto start = run_offset(tables, *samples);
  if (!start) return start.error();
  std::uint64_t bytes = 0;
  for (const Sample& sample : *samples) {
    if (sample.bytes > kSampleBytesMax) return unsupported(four_cc("stsz"), "a sample of 2 GiB or more");
    bytes += sample.bytes;
  }
  if (*start > file_bytes || bytes > file_bytes - *start) {
    return Error{ErrorCode::media_truncated, Side::client, false,
                 "samples take " + std::to_string(bytes) + " bytes from " + std::to_string(*start) + ", the file has " +
                     std::to_string(file_bytes)};
  }
  return SampleRun{*start, std::move(*samples)};
}

}  // namespace reelway::origin::mp4
