#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/bytes.h"
#include "origin/mp4/box.h"

// Moov boxes made to measure, right by default, so that a test can state the one thing that differs.

namespace reelway::test {

struct MoovShape {
  struct Run {
    std::uint32_t count = 0, value = 0;
  };
  struct Edit {
    std::uint64_t duration = 0;
    std::int64_t media_time = 0;
    std::uint32_t rate = 0x10000;
  };

  bool video = true;
  std::uint32_t movie_timescale = 1000;
  std::uint32_t timescale = 24;
  std::uint8_t header_version = 0;           // of mvhd, tkhd and mdhd
  std::uint16_t language = 0x15c7;           // eng
  std::uint32_t width = 1280, height = 720;  // of tkhd
  std::uint8_t edit_version = 0;
  std::vector<Edit> edits;
  std::vector<std::uint32_t> sizes;  // stsz
  std::uint32_t common_size = 0;     // stsz with one size for `sizes.size()` samples
  unsigned small_size_bits = 0;      // stz2 instead of stsz
  std::vector<Run> durations;        // stts
  std::uint8_t offset_version = 0;
  std::vector<Run> offsets;                        // ctts, none if empty
  std::optional<std::vector<std::uint32_t>> sync;  // stss, sample numbers from 1
  std::vector<std::uint32_t> chunk_samples;        // one stsc row per chunk; all in one chunk if empty
  std::vector<std::uint64_t> chunk_offsets;        // as they follow from the sizes, if empty
  bool wide_offsets = false;                       // co64
  std::uint64_t first_offset = 48;
  Bytes sample_entry;  // avc1 or mp4a, if empty
  bool fragmented = false;

  // `frames` frames of 24 a second, a sync sample each `gop`, sizes that tell them apart.
  static MoovShape video_of(std::uint32_t frames, std::uint32_t gop) {
    MoovShape shape;
    shape.sync.emplace();
    for (std::uint32_t i = 0; i < frames; ++i) {
      shape.sizes.push_back(1000 + i);
      if (i % gop == 0) shape.sync->push_back(i + 1);
    }
    shape.durations = {{frames, 1}};
    return shape;
  }
  static MoovShape audio_of(std::uint32_t frames) {
    MoovShape shape;
    shape.video = false;
    shape.timescale = 48000;
    for (std::uint32_t i = 0; i < frames; ++i) shape.sizes.push_back(100 + i % 50);
    shape.durations = {{frames, 1024}};
    return shape;
  }
  std::uint64_t media_bytes() const {
    std::uint64_t sum = 0;
    for (const std::uint32_t size : sizes) sum += common_size != 0 ? common_size : size;
    return sum;
  }
  std::uint64_t file_bytes() const { return first_offset + media_bytes() + 4096; }
};

inline Bytes avc_entry() {
  using origin::mp4::BoxScope;
  using origin::mp4::four_cc;
  ByteWriter out;
  {
    const BoxScope entry(out, four_cc("avc1"));
    out.zeros(6);
    out.u16(1);
    out.zeros(16);
    out.u16(1280);
    out.u16(720);
    out.zeros(50);
    const BoxScope avcc(out, four_cc("avcC"));
    for (const std::uint8_t byte : {1, 0x64, 0x00, 0x1f, 0xff, 0xe0, 0x00}) out.u8(byte);
  }
  return out.take();
}

// An esds whose AudioSpecificConfig is `config`.
inline Bytes aac_entry(const Bytes& config = {0x11, 0x90}) {
  using origin::mp4::BoxScope;
  using origin::mp4::four_cc;
  ByteWriter out;
  {
    const BoxScope entry(out, four_cc("mp4a"));
    out.zeros(6);
    out.u16(1);
    out.zeros(8);
    out.u16(2);
    out.u16(16);
    out.zeros(4);
    out.u32(48000u << 16);
    const BoxScope esds(out, four_cc("esds"), 0, 0);
    const auto length = static_cast<std::uint8_t>(config.size());
    out.u8(3);
    out.u8(static_cast<std::uint8_t>(3 + 2 + 13 + 2 + length));
    out.zeros(3);
    out.u8(4);
    out.u8(static_cast<std::uint8_t>(13 + 2 + length));
    out.u8(0x40);
    out.zeros(12);
    out.u8(5);
    out.u8(length);
    out.append(config);
  }
  return out.take();
}

class MoovMaker {
 public:
  explicit MoovMaker(const MoovShape& shape) : shape_(shape) {}

  Bytes make() {
    using origin::mp4::four_cc;
    {
      const Scope moov(out_, four_cc("moov"));
      write_header(four_cc("mvhd"), shape_.movie_timescale, 80);
      {
        const Scope trak(out_, four_cc("trak"));
        write_tkhd();
        write_edts();
        write_mdia();
      }
      if (shape_.fragmented) {
        const Scope mvex(out_, four_cc("mvex"));
      }
    }
    return out_.take();
  }

 private:
  using Scope = origin::mp4::BoxScope;

  void write_header(origin::mp4::FourCc type, std::uint32_t timescale, std::size_t rest) {
    const Scope box(out_, type, shape_.header_version, 0);
    out_.zeros(shape_.header_version == 1 ? 16 : 8);
    out_.u32(timescale);
    out_.zeros(shape_.header_version == 1 ? 8 : 4);
    if (type == origin::mp4::four_cc("mdhd")) out_.u16(shape_.language);
    out_.zeros(rest);
  }
  void write_tkhd() {
    const Scope box(out_, origin::mp4::four_cc("tkhd"), shape_.header_version, 7);
    out_.zeros(shape_.header_version == 1 ? 32 : 20);
    out_.zeros(16);
    for (const std::uint32_t value : {0x10000u, 0u, 0u, 0u, 0x10000u, 0u, 0u, 0u, 0x40000000u}) out_.u32(value);
    out_.u32(shape_.width << 16);
    out_.u32(shape_.height << 16);
  }
  void write_edts() {
    if (shape_.edits.empty()) return;
    const Scope edts(out_, origin::mp4::four_cc("edts"));
    const Scope elst(out_, origin::mp4::four_cc("elst"), shape_.edit_version, 0);
    out_.u32(static_cast<std::uint32_t>(shape_.edits.size()));
    for (const MoovShape::Edit& edit : shape_.edits) {
      if (shape_.edit_version == 1) {
        out_.u64(edit.duration);
        out_.i64(edit.media_time);
      } else {
        out_.u32(static_cast<std::uint32_t>(edit.duration));
        out_.i32(static_cast<std::int32_t>(edit.media_time));
      }
      out_.u32(edit.rate);
    }
  }
  void write_mdia() {
    using origin::mp4::four_cc;
    const Scope mdia(out_, four_cc("mdia"));
    write_header(four_cc("mdhd"), shape_.timescale, 2);
    {
      const Scope hdlr(out_, four_cc("hdlr"), 0, 0);
      out_.u32(0);
      out_.u32(shape_.video ? four_cc("vide") : four_cc("soun"));
      out_.zeros(13);
    }
    const Scope minf(out_, four_cc("minf"));
    const Scope stbl(out_, four_cc("stbl"));
    {
      const Scope stsd(out_, four_cc("stsd"), 0, 0);
      out_.u32(1);
      out_.append(!shape_.sample_entry.empty() ? shape_.sample_entry : shape_.video ? avc_entry() : aac_entry());
    }
    write_runs(four_cc("stts"), 0, shape_.durations);
    if (!shape_.offsets.empty()) write_runs(four_cc("ctts"), shape_.offset_version, shape_.offsets);
    write_sync();
    write_sizes();
    write_chunks();
  }
  void write_runs(origin::mp4::FourCc type, std::uint8_t version, const std::vector<MoovShape::Run>& runs) {
    const Scope box(out_, type, version, 0);
    out_.u32(static_cast<std::uint32_t>(runs.size()));
    for (const MoovShape::Run& run : runs) {
      out_.u32(run.count);
      out_.u32(run.value);
    }
  }
  void write_sync() {
    if (!shape_.sync) return;
    const Scope box(out_, origin::mp4::four_cc("stss"), 0, 0);
    out_.u32(static_cast<std::uint32_t>(shape_.sync->size()));
    for (const std::uint32_t number : *shape_.sync) out_.u32(number);
  }
  void write_sizes() {
    const auto count = static_cast<std::uint32_t>(shape_.sizes.size());
    if (shape_.small_size_bits != 0) {
      write_small_sizes(count);
      return;
    }
    const Scope box(out_, origin::mp4::four_cc("stsz"), 0, 0);
    out_.u32(shape_.common_size);
    out_.u32(count);
    if (shape_.common_size != 0) return;
    for (const std::uint32_t size : shape_.sizes) out_.u32(size);
  }
  void write_small_sizes(std::uint32_t count) {
    const Scope box(out_, origin::mp4::four_cc("stz2"), 0, 0);
    out_.u32(shape_.small_size_bits);
    out_.u32(count);
    for (std::size_t i = 0; i < shape_.sizes.size(); ++i) {
      if (shape_.small_size_bits == 16) out_.u16(static_cast<std::uint16_t>(shape_.sizes[i]));
      if (shape_.small_size_bits == 8) out_.u8(static_cast<std::uint8_t>(shape_.sizes[i]));
      if (shape_.small_size_bits == 4 && i % 2 == 0) {
        const std::uint32_t second = i + 1 < shape_.sizes.size() ? shape_.sizes[i + 1] : 0;
        out_.u8(static_cast<std::uint8_t>(shape_.sizes[i] << 4 | second));
      }
    }
  }
  void write_chunks() {
    std::vector<std::uint32_t> counts = shape_.chunk_samples;
    if (counts.empty()) counts = {static_cast<std::uint32_t>(shape_.sizes.size())};
    {
      const Scope stsc(out_, origin::mp4::four_cc("stsc"), 0, 0);
      out_.u32(static_cast<std::uint32_t>(counts.size()));
      for (std::size_t i = 0; i < counts.size(); ++i) {
        out_.u32(static_cast<std::uint32_t>(i + 1));
        out_.u32(counts[i]);
        out_.u32(1);
      }
    }
    std::vector<std::uint64_t> offsets = shape_.chunk_offsets;
    if (offsets.empty()) offsets = contiguous(counts);
    const Scope table(out_, shape_.wide_offsets ? origin::mp4::four_cc("co64") : origin::mp4::four_cc("stco"), 0, 0);
    out_.u32(static_cast<std::uint32_t>(offsets.size()));
    for (const std::uint64_t offset : offsets) {
      if (shape_.wide_offsets) out_.u64(offset);
      if (!shape_.wide_offsets) out_.u32(static_cast<std::uint32_t>(offset));
    }
  }
  std::vector<std::uint64_t> contiguous(const std::vector<std::uint32_t>& counts) const {
    std::vector<std::uint64_t> offsets;
    std::uint64_t at = shape_.first_offset;
    std::size_t sample = 0;
    for (const std::uint32_t count : counts) {
      offsets.push_back(at);
      for (std::uint32_t i = 0; i < count && sample < shape_.sizes.size(); ++i, ++sample) {
        at += shape_.common_size != 0 ? shape_.common_size : shape_.sizes[sample];
      }
    }
    return offsets;
  }

  const MoovShape& shape_;
  ByteWriter out_;
};

inline Bytes make_moov(const MoovShape& shape) {
  return MoovMaker(shape).make();
}

}  // namespace reelway::test
