#include "origin/mp4/sample_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <string>

#include "common/base/check.h"

// Model: numbers of a block are stored as how much they exceed the block's least, with as few bits as the greatest of
// them needs; sizes, which vary most, with a width for each sixteen. Composition offsets are multiples of a frame's
// duration, so what is stored is how many. Sync samples are few and many times as large as the others, so they are
// listed apart where there are others. Audio of a constant size, or durations that are all alike, take no bits at all.
//
// Layout of a block, little-endian: form (1), bits of a duration (1), bits of an offset (1), bits of a size in each run
// of sixteen (8), least size (4), least duration (4), least offset (4), step of offsets (4); if `mixed`: count of sync
// samples (1), their positions (1 each) and sizes (4 each); then the sizes, durations and offsets, each packed from the
// lowest bit of its first byte and ended at a whole byte.

namespace reelway::origin::mp4 {
namespace {

constexpr std::size_t kRun = 16;
constexpr std::size_t kRuns = SampleTable::kBlockSamples / kRun;
constexpr std::size_t kHeadBytes = 3 + kRuns + 16;
constexpr std::size_t kSlackBytes = 8;
constexpr unsigned kBitsMax = 31;

enum Form : std::uint8_t { kNoneSync = 0, kAllSync = 1, kMixed = 2 };

using Numbers = std::array<std::uint32_t, SampleTable::kBlockSamples>;

std::uint64_t load_le(const std::uint8_t* from, std::size_t bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t value = 0;
  std::memcpy(&value, from, bytes);
  return value;
}

void store_le(Bytes& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// Fewer than 33 bits that begin at a bit of `from`, which may be read for eight bytes from there.
std::uint32_t bits_at(const std::uint8_t* from, std::size_t bit, unsigned width) {
  const std::uint64_t word = load_le(from + bit / 8, 8) >> (bit % 8);
  return static_cast<std::uint32_t>(word & ((1ull << width) - 1));
}

unsigned width_of(std::uint32_t greatest) {
  return static_cast<unsigned>(std::bit_width(greatest));
}

std::size_t bytes_of_bits(std::size_t bits) {
  return (bits + 7) / 8;
}

struct Head {
  Form form = kNoneSync;
  unsigned duration_bits = 0, offset_bits = 0;
  std::array<std::uint8_t, kRuns> size_bits{};
  std::uint32_t size_least = 0, duration_least = 0, offset_least = 0, offset_step = 1;
};

// Where the parts of a block lie, from its first byte.
struct Places {
  std::size_t sync_count = 0;
  std::size_t positions = 0, sync_sizes = 0, sizes = 0, durations = 0, offsets = 0, end = 0;
};

std::size_t sizes_bits(const Head& head, std::size_t count) {
  std::size_t bits = 0;
  for (std::size_t run = 0; run * kRun < count; ++run) bits += head.size_bits[run] * std::min(kRun, count - run * kRun);
  return bits;
}

Places places_of(const Head& head, std::size_t sync_count, std::size_t count) {
  Places places;
  places.sync_count = sync_count;
  places.positions = kHeadBytes + (head.form == kMixed ? 1 : 0);
  places.sync_sizes = places.positions + sync_count;
  places.sizes = places.sync_sizes + 4 * sync_count;
  places.durations = places.sizes + bytes_of_bits(sizes_bits(head, count));
  places.offsets = places.durations + bytes_of_bits(head.duration_bits * count);
  places.end = places.offsets + bytes_of_bits(head.offset_bits * count);
  return places;
}

Head read_head(const std::uint8_t* block) {
  Head head;
  head.form = static_cast<Form>(block[0]);
  head.duration_bits = block[1];
  head.offset_bits = block[2];
  std::copy_n(block + 3, kRuns, head.size_bits.begin());
  const std::uint8_t* least = block + 3 + kRuns;
  head.size_least = static_cast<std::uint32_t>(load_le(least, 4));
  head.duration_least = static_cast<std::uint32_t>(load_le(least + 4, 4));
  head.offset_least = static_cast<std::uint32_t>(load_le(least + 8, 4));
  head.offset_step = static_cast<std::uint32_t>(load_le(least + 12, 4));
  return head;
}

Places read_places(const Head& head, const std::uint8_t* block, std::size_t count) {
  return places_of(head, head.form == kMixed ? block[kHeadBytes] : 0, count);
}

class BitWriter {
 public:
  explicit BitWriter(Bytes& out) : out_(out) {}
  ~BitWriter() {
    if (filled_ > 0) store_le(out_, word_, bytes_of_bits(filled_));
  }
  void put(std::uint32_t value, unsigned width) {
    word_ |= std::uint64_t{value} << filled_;
    filled_ += width;
    if (filled_ < 32) return;
    store_le(out_, word_, 4);
    word_ >>= 32;
    filled_ -= 32;
  }

 private:
  Bytes& out_;
  std::uint64_t word_ = 0;
  unsigned filled_ = 0;
};

struct Block {
  Head head;
  Numbers sizes{}, durations{}, offsets{};  // what each exceeds the least by, in steps
  std::vector<std::uint8_t> sync_positions;
  std::vector<std::uint32_t> sync_sizes;
};

std::uint32_t least_of(std::span<const Sample> samples, auto value) {
  std::uint32_t least = UINT32_MAX;
  for (const Sample& sample : samples) least = std::min<std::uint32_t>(least, value(sample));
  return least;
}

void pack_sizes(std::span<const Sample> samples, Block& block) {
  const auto syncs =
      static_cast<std::size_t>(std::count_if(samples.begin(), samples.end(), [](const Sample& s) { return s.sync; }));
  block.head.form = syncs == 0 ? kNoneSync : syncs == samples.size() ? kAllSync : kMixed;
  const bool mixed = block.head.form == kMixed;
  block.head.size_least = least_of(samples, [](const Sample& s) { return s.bytes; });
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (mixed && samples[i].sync) {
      block.sync_positions.push_back(static_cast<std::uint8_t>(i));
      block.sync_sizes.push_back(samples[i].bytes);
      continue;  // its place among the others stays 0
    }
    block.sizes[i] = samples[i].bytes - block.head.size_least;
    std::uint8_t& bits = block.head.size_bits[i / kRun];
    bits = static_cast<std::uint8_t>(std::max<unsigned>(bits, width_of(block.sizes[i])));
  }
}

void pack_times(std::span<const Sample> samples, Block& block) {
  Head& head = block.head;
  head.duration_least = least_of(samples, [](const Sample& s) { return s.duration; });
  head.offset_least =
      least_of(samples, [](const Sample& s) { return static_cast<std::uint32_t>(s.composition_offset); });
  std::uint32_t step = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    block.durations[i] = samples[i].duration - head.duration_least;
    block.offsets[i] = static_cast<std::uint32_t>(samples[i].composition_offset) - head.offset_least;
    step = std::gcd(step, block.offsets[i]);
    head.duration_bits = std::max(head.duration_bits, width_of(block.durations[i]));
  }
  head.offset_step = std::max(1u, step);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    block.offsets[i] /= head.offset_step;
    head.offset_bits = std::max(head.offset_bits, width_of(block.offsets[i]));
  }
}

void write_numbers(Bytes& out, const Numbers& numbers, std::size_t count, unsigned width) {
  BitWriter bits(out);
  for (std::size_t i = 0; i < count; ++i) bits.put(numbers[i], width);
}

void write_block(Bytes& out, std::span<const Sample> samples) {
  Block block;
  pack_sizes(samples, block);
  pack_times(samples, block);
  const Head& head = block.head;
  out.push_back(head.form);
  out.push_back(static_cast<std::uint8_t>(head.duration_bits));
  out.push_back(static_cast<std::uint8_t>(head.offset_bits));
  out.insert(out.end(), head.size_bits.begin(), head.size_bits.end());
  for (const std::uint32_t value : {head.size_least, head.duration_least, head.offset_least, head.offset_step})
    store_le(out, value, 4);
  if (head.form == kMixed) {
    out.push_back(static_cast<std::uint8_t>(block.sync_positions.size()));
    out.insert(out.end(), block.sync_positions.begin(), block.sync_positions.end());
    for (const std::uint32_t size : block.sync_sizes) store_le(out, size, 4);
  }
  {
    BitWriter bits(out);
    for (std::size_t i = 0; i < samples.size(); ++i) bits.put(block.sizes[i], head.size_bits[i / kRun]);
  }
  write_numbers(out, block.durations, samples.size(), head.duration_bits);
  write_numbers(out, block.offsets, samples.size(), head.offset_bits);
}

void read_sizes(const std::uint8_t* block, const Head& head, const Places& places, std::span<Sample> samples) {
  std::size_t bit = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const unsigned width = head.size_bits[i / kRun];
    samples[i].bytes = head.size_least + bits_at(block + places.sizes, bit, width);
    samples[i].sync = head.form == kAllSync;
    bit += width;
  }
  for (std::size_t i = 0; i < places.sync_count; ++i) {
    Sample& sample = samples[block[places.positions + i]];
    sample.bytes = static_cast<std::uint32_t>(load_le(block + places.sync_sizes + 4 * i, 4));
    sample.sync = true;
  }
}

void read_times(const std::uint8_t* block, const Head& head, const Places& places, std::span<Sample> samples) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i].duration = head.duration_least;
    samples[i].composition_offset = static_cast<std::int32_t>(head.offset_least);
  }
  if (head.duration_bits > 0) {
    for (std::size_t i = 0; i < samples.size(); ++i)
      samples[i].duration += bits_at(block + places.durations, i * head.duration_bits, head.duration_bits);
  }
  if (head.offset_bits == 0) return;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::uint32_t steps = bits_at(block + places.offsets, i * head.offset_bits, head.offset_bits);
    samples[i].composition_offset = static_cast<std::int32_t>(head.offset_least + steps * head.offset_step);
  }
}

void read_block(const std::uint8_t* block, std::span<Sample> samples) {
  const Head head = read_head(block);
  const Places places = read_places(head, block, samples.size());
  read_sizes(block, head, places, samples);
  read_times(block, head, places, samples);
}

bool exceeds(std::uint64_t least, unsigned bits, std::uint64_t step = 1) {
  return least + ((1ull << bits) - 1) * step > INT32_MAX;
}

// Whether greatest numbers that the widths allow stay in bounds says too much: the numbers themselves are looked at.
bool in_bounds(const std::uint8_t* block, const Head& head, const Places& places, std::size_t count) {
  std::size_t bit = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned width = head.size_bits[i / kRun];
    if (std::uint64_t{head.size_least} + bits_at(block + places.sizes, bit, width) > kSampleBytesMax) return false;
    bit += width;
  }
  for (std::size_t i = 0; i < places.sync_count; ++i) {
    if (load_le(block + places.sync_sizes + 4 * i, 4) > kSampleBytesMax) return false;
  }
  for (std::size_t i = 0; exceeds(head.duration_least, head.duration_bits) && i < count; ++i) {
    const std::uint32_t more = bits_at(block + places.durations, i * head.duration_bits, head.duration_bits);
    if (std::uint64_t{head.duration_least} + more > INT32_MAX) return false;
  }
  for (std::size_t i = 0; exceeds(head.offset_least, head.offset_bits, head.offset_step) && i < count; ++i) {
    const std::uint64_t steps = bits_at(block + places.offsets, i * head.offset_bits, head.offset_bits);
    if (head.offset_least + steps * head.offset_step > INT32_MAX) return false;
  }
  return true;
}

// The length of the block that begins there, 0 when there is none that can be read. `bytes` has slack behind it.
std::size_t checked_block(const std::uint8_t* block, std::size_t bytes, std::size_t count) {
  if (bytes < kHeadBytes) return 0;
  const Head head = read_head(block);
  const bool wide =
      head.duration_bits > kBitsMax || head.offset_bits > kBitsMax ||
      std::any_of(head.size_bits.begin(), head.size_bits.end(), [](unsigned bits) { return bits > kBitsMax; });
  if (head.form > kMixed || wide || head.offset_step == 0) return 0;
  const Places places = read_places(head, block, count);
  if (places.end > bytes) return 0;
  for (std::size_t i = 0; i < places.sync_count; ++i) {
    const std::uint8_t position = block[places.positions + i];
    if (position >= count || (i > 0 && position <= block[places.positions + i - 1])) return 0;
  }
  return in_bounds(block, head, places, count) ? places.end : 0;
}

Error malformed_block(std::size_t block) {
  return {ErrorCode::index_malformed, Side::disk, false, "block " + std::to_string(block) + " of its samples is wrong"};
}

}  // namespace

SampleTable::SampleTable(std::span<const Sample> samples) {
  CHECK(samples.size() <= kSamplesMax);
  for (const Sample& sample : samples) {
    CHECK(sample.bytes <= kSampleBytesMax && sample.duration <= INT32_MAX && sample.composition_offset >= 0);
  }
  count_ = static_cast<std::uint32_t>(samples.size());
  for (std::size_t first = 0; first < samples.size(); first += kBlockSamples) {
    places_.push_back(static_cast<std::uint32_t>(blob_.size()));
    write_block(blob_, samples.subspan(first, std::min(kBlockSamples, samples.size() - first)));
  }
  close();
}

Result<SampleTable> SampleTable::parse(ByteView packed, std::uint32_t count) {
  if (count > kSamplesMax || packed.size() > std::uint64_t{kSamplesMax} * 16) return malformed_block(0);
  SampleTable table;
  table.count_ = count;
  table.blob_.reserve(packed.size() + kSlackBytes);
  table.blob_.assign(packed.begin(), packed.end());
  table.close();
  std::size_t place = 0;
  for (std::size_t block = 0; block * kBlockSamples < count; ++block) {
    table.places_.push_back(static_cast<std::uint32_t>(place));
    const std::size_t bytes =
        checked_block(table.blob_.data() + place, table.packed_bytes_ - place, table.block_samples(block));
    if (bytes == 0) return malformed_block(block);
    place += bytes;
  }
  if (place != packed.size()) return malformed_block(table.places_.size());
  table.places_.shrink_to_fit();
  return table;
}

void SampleTable::close() {
  packed_bytes_ = blob_.size();
  blob_.resize(blob_.size() + kSlackBytes);
  blob_.shrink_to_fit();
  places_.shrink_to_fit();
}

std::size_t SampleTable::block_samples(std::size_t block) const {
  return std::min(kBlockSamples, count_ - block * kBlockSamples);
}

Sample SampleTable::operator[](std::size_t i) const {
  return range(i, 1).front();
}

std::int32_t SampleTable::composition_offset(std::size_t i) const {
  CHECK(i < count_);
  const std::size_t block = i / kBlockSamples;
  const std::uint8_t* bytes = blob_.data() + places_[block];
  const Head head = read_head(bytes);
  const Places places = read_places(head, bytes, block_samples(block));
  const std::uint32_t steps = bits_at(bytes + places.offsets, (i % kBlockSamples) * head.offset_bits, head.offset_bits);
  return static_cast<std::int32_t>(head.offset_least + steps * head.offset_step);
}

bool SampleTable::is_sync(std::size_t i) const {
  CHECK(i < count_);
  const std::uint8_t* block = blob_.data() + places_[i / kBlockSamples];
  const Head head = read_head(block);
  if (head.form != kMixed) return head.form == kAllSync;
  const std::uint8_t* positions = block + kHeadBytes + 1;
  return std::find(positions, positions + block[kHeadBytes], i % kBlockSamples) != positions + block[kHeadBytes];
}

std::vector<Sample> SampleTable::range(std::size_t first, std::size_t count) const {
  CHECK(first <= count_ && count <= count_ - first);
  std::vector<Sample> samples;
  samples.reserve(count);
  std::array<Sample, kBlockSamples> unpacked;
  while (samples.size() < count) {
    const std::size_t at = first + samples.size();
    const std::size_t block = at / kBlockSamples;
    const std::span<Sample> all(unpacked.data(), block_samples(block));
    read_block(blob_.data() + places_[block], all);
    const std::size_t begin = at % kBlockSamples;
    const std::size_t end = std::min(all.size(), begin + count - samples.size());
    samples.insert(samples.end(), all.begin() + static_cast<std::ptrdiff_t>(begin),
                   all.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return samples;
}

}  // namespace reelway::origin::mp4
