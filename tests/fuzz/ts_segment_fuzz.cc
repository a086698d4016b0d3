#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/check.h"
#include "origin/hls/segment_maker.h"
#include "origin/hls/ts_segment.h"
#include "origin/mp4/box.h"

// Any bytes as the media of a track, and as what its sample entry says of it: an error, or packets that keep to the
// announced length. The input is: one byte of choices, one of sizes, one of durations; so many bytes of the codec's
// configuration as the next says, and those; a size below 1024 for each of 1 to 16 samples, two bytes each; then the
// media, which begins anew until there is enough of it.

using namespace reelway;
using namespace reelway::origin;

namespace {

using mp4::four_cc;

struct Choices {
  bool video = false, dolby = false, encrypted = false, own_entry = false, wide = false;
};

Bytes sample_entry(const Choices& choices, ByteView config) {
  ByteWriter out;
  {
    const mp4::BoxScope entry(out, choices.video ? four_cc("avc1") : choices.dolby ? four_cc("ec-3") : four_cc("mp4a"));
    out.zeros(choices.video ? 78 : 28);
    if (choices.video) {
      const mp4::BoxScope avcc(out, four_cc("avcC"));
      const Bytes plain = {1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 2, 0x67, 0x64, 1, 0, 1, 0x68};
      out.append(choices.own_entry ? config : ByteView(plain));
    } else if (choices.dolby) {
      const mp4::BoxScope dec3(out, four_cc("dec3"));
      out.append(config);
    } else {
      const mp4::BoxScope esds(out, four_cc("esds"), 0, 0);
      const Bytes plain = {0x11, 0x90};
      const ByteView own = config.first(std::min<std::size_t>(config.size(), 64));
      const ByteView specific = choices.own_entry ? own : ByteView(plain);
      out.u8(3);
      out.u8(static_cast<std::uint8_t>(20 + specific.size()));
      out.zeros(3);
      out.u8(4);
      out.u8(static_cast<std::uint8_t>(15 + specific.size()));
      out.u8(0x40);
      out.zeros(12);
      out.u8(5);
      out.u8(static_cast<std::uint8_t>(specific.size()));
      out.append(specific);
    }
  }
  return out.take();
}

mp4::TrackIndex index_of(const Choices& choices, ByteView config, const std::vector<std::uint32_t>& sizes,
                         std::uint32_t duration) {
  mp4::TrackIndex index;
  index.kind = choices.video ? mp4::TrackKind::video : mp4::TrackKind::audio;
  index.timescale = 48'000;
  index.sample_rate = 48'000;
  index.codecs = "x";
  index.sample_entry = sample_entry(choices, config);
  std::vector<mp4::Sample> samples;
  mp4::Unit unit{.sample_count = static_cast<std::uint32_t>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    samples.push_back({size, duration, choices.video ? static_cast<std::int32_t>(size % 7) : 0, samples.empty()});
    unit.file_bytes += size;
  }
  index.samples = mp4::SampleTable(samples);
  index.units = mp4::UnitTable(std::span(&unit, 1), duration);
  index.file_bytes = unit.file_bytes;
  index.media_duration = index.edit_duration = std::uint64_t{duration} * sizes.size();
  return index;
}

void make(const mp4::TrackIndex& index, const Choices& choices, ByteView file) {
  const hls::ContentKey key;
  auto maker =
      hls::make_segment_maker({.index = index,
                               .units_per_segment = 1,
                               .segment = 0,
                               .packaging = choices.encrypted ? hls::Packaging::ts_sample_aes : hls::Packaging::ts,
                               .key = &key});
  if (!maker) return;
  static std::vector<std::uint8_t> output(hls::SegmentMaker::kOutputBytesMax);
  std::uint64_t bytes = 0;
  for (auto input = (*maker)->next(); input.bytes > 0; input = (*maker)->next()) {
    CHECK(input.bytes <= hls::SegmentMaker::kInputBytesMax);
    CHECK(input.offset <= file.size() && input.bytes <= file.size() - input.offset);
    const auto made = (*maker)->take(file.subspan(input.offset, input.bytes), output);
    if (!made) return;
    CHECK(*made <= output.size() && *made % 188 == 0);
    for (std::size_t at = 0; at < *made; at += 188) CHECK(output[at] == 0x47);
    bytes += *made;
  }
  CHECK(bytes >= hls::ts_segment_bytes(index, {0, 1}));
  if (!choices.encrypted) CHECK(bytes == hls::ts_segment_bytes(index, {0, 1}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader reader(ByteView(data, size));
  const std::uint8_t bits = reader.u8();
  const Choices choices{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0};
  const std::size_t count = reader.u8() % 16u + 1;
  const std::uint32_t duration = 1 + 911u * reader.u8();
  const ByteView config = reader.take(reader.u8());
  std::vector<std::uint32_t> sizes;
  for (std::size_t i = 0; i < count; ++i) sizes.push_back(reader.u16() % 1024u);
  // A wide one is more than a maker is given at once; most are not, which is quicker.
  if (choices.wide) sizes.front() = 270'000 + 64 * sizes.front();
  if (reader.failed() || reader.at_end()) return 0;
  const ByteView media = reader.take(reader.remaining());
  const mp4::TrackIndex index = index_of(choices, config, sizes, duration);
  Bytes file;
  while (file.size() < index.file_bytes) {
    const std::size_t missing = static_cast<std::size_t>(index.file_bytes) - file.size();
    file.insert(file.end(), media.begin(),
                media.begin() + static_cast<std::ptrdiff_t>(std::min(missing, media.size())));
  }
  make(index, choices, file);
  return 0;
}
