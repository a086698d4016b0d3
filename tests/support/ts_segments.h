#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "origin/hls/segment_maker.h"
#include "tests/support/film.h"

// Segments of transport streams: made as the origin makes them, and taken apart again by a reader of their own that
// trusts nothing.

namespace reelway::test {

// Drives a maker over the bytes of its track file. At most `step` bytes of each range are given at once, if not 0.
inline Result<Bytes> drive(origin::hls::SegmentMaker& maker, ByteView file) {
  using origin::hls::SegmentMaker;
  Bytes made;
  std::vector<std::uint8_t> output(SegmentMaker::kOutputBytesMax);
  for (auto input = maker.next(); input.bytes > 0; input = maker.next()) {
    if (input.bytes > SegmentMaker::kInputBytesMax || input.offset + input.bytes > file.size()) {
      ADD_FAILURE() << "asks for " << input.bytes << " at " << input.offset;
      return made;
    }
    const auto count = maker.take(file.subspan(input.offset, input.bytes), output);
    if (!count) return count.error();
    made.insert(made.end(), output.begin(), output.begin() + static_cast<std::ptrdiff_t>(*count));
  }
  return made;
}

inline Bytes made_segment(const Film& film, const origin::hls::Track& track, std::uint32_t segment,
                          origin::hls::Packaging packaging, const origin::hls::ContentKey* key = nullptr) {
  auto maker = origin::hls::make_segment_maker({.index = *track.index,
                                                .units_per_segment = film.presentation.units_per_segment,
                                                .segment = segment,
                                                .packaging = packaging,
                                                .key = key});
  if (!maker) throw std::runtime_error(describe(maker.error()));
  auto made = drive(**maker, film.file_of(track));
  if (!made) throw std::runtime_error(describe(made.error()));
  return *made;
}

struct ReadPes {
  std::uint64_t presentation = 0, decode = 0;  // 33 bits
  std::uint64_t reference = 0;
  bool random_access = false;
  bool after_tables = false;
  std::size_t offset = 0;  // of the first packet, or of the PAT before it, in the segment
  std::size_t stated_bytes = 0;
  Bytes header, es;
};

inline std::int64_t clock_distance(std::uint64_t from, std::uint64_t to) {
  const std::uint64_t distance = (to - from) & ((std::uint64_t{1} << 33) - 1);
  return static_cast<std::int64_t>(distance << 31) >> 31;
}

inline std::uint32_t mpeg_crc(ByteView bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    for (int bit = 7; bit >= 0; --bit) {
      const bool one = ((crc >> 31) ^ (byte >> bit & 1u)) != 0;
      crc = crc << 1 ^ (one ? 0x04c11db7u : 0);
    }
  }
  return crc;
}

// Reads the segments of one track, in order, and complains of all that a strict demultiplexer might.
class TsReader {
 public:
  std::vector<ReadPes> pes;
  std::vector<std::string> complaints;
  std::uint8_t stream_type = 0;
  Bytes descriptors;  // of the elementary stream
  std::size_t packets = 0, packets_without_payload = 0;

  void read(ByteView segment) {
    segment_ = segment;
    if (segment.size() % 188 != 0) complain("its length is no multiple of 188");
    if (segment.size() < 376 || pid_of(0) != 0 || pid_of(188) != 0x1000) complain("does not begin with PAT and PMT");
    counters_at_begin();
    for (at_ = 0; at_ + 188 <= segment.size(); at_ += 188) read_packet(segment.subspan(at_, 188));
    finish();
    tables_before_ = 0;
  }

 private:
  std::uint32_t pid_of(std::size_t at) const { return (segment_[at + 1] & 31u) << 8 | segment_[at + 2]; }
  void complain(const std::string& what) { complaints.push_back("packet " + std::to_string(at_ / 188) + ": " + what); }
  void counters_at_begin() {
    for (at_ = 0; at_ + 188 <= segment_.size(); at_ += 188) {
      if (pid_of(at_) != 0x100 && pid_of(at_) != 0x101) continue;
      if ((segment_[at_ + 3] & 15) != 0) complain("the first counter of a segment is not 0");
      break;
    }
    at_ = 0;
  }
  void count(std::uint32_t pid, std::uint8_t header, bool has_payload) {
    auto& last = pid == 0 ? last_pat_ : pid == 0x1000 ? last_pmt_ : last_media_;
    const std::uint8_t counter = header & 15;
    const int expected = !last ? counter : has_payload ? (*last + 1) & 15 : *last;
    if (counter != expected) complain("counter " + std::to_string(counter) + ", not " + std::to_string(expected));
    last = counter;
  }
  void read_packet(ByteView packet) {
    ++packets;
    if (packet[0] != 0x47) return complain("no sync byte");
    const std::uint32_t pid = pid_of(at_);
    const bool starts = (packet[1] & 0x40) != 0;
    if ((packet[1] & 0xa0) != 0 || (packet[3] & 0xc0) != 0) complain("flags that nobody set");
    const bool has_field = (packet[3] & 0x20) != 0, has_payload = (packet[3] & 0x10) != 0;
    count(pid, packet[3], has_payload);
    std::size_t payload = 4;
    bool random_access = false;
    std::optional<std::uint64_t> reference;
    if (has_field) {
      const std::size_t length = packet[4];
      if (has_payload ? length > 182 : length != 183)
        return complain("an adaptation field of " + std::to_string(length));
      payload = 5 + length;
      if (length > 0) {
        random_access = (packet[5] & 0x40) != 0;
        if ((packet[5] & ~0x50) != 0) complain("unexpected flags in the adaptation field");
        std::size_t stuffing = 6;
        if ((packet[5] & 0x10) != 0) {
          ByteReader clock(packet.subspan(6, 6));
          const std::uint64_t base = clock.u32();
          const std::uint16_t rest = clock.u16();
          if ((rest & 0x7fff) != 0x7e00) complain("the clock's extension is not 0, or its reserved bits not 1");
          reference = base << 1 | rest >> 15;
          stuffing += 6;
        }
        for (; stuffing < payload; ++stuffing) {
          if (packet[stuffing] != 0xff) complain("stuffing that is not 0xff");
        }
      }
    } else if (!has_payload) {
      complain("neither field nor payload");
    }
    if (!has_payload) ++packets_without_payload;
    if (reference) read_reference(*reference);
    const ByteView bytes = packet.subspan(std::min<std::size_t>(payload, 188));
    if (pid == 0 || pid == 0x1000) return read_table(pid, starts, bytes);
    if (pid != 0x100 && pid != 0x101) return complain("PID " + std::to_string(pid));
    if (tables_before_ == 1) complain("a PAT without PMT");
    if (starts) begin(random_access, reference);
    if (has_payload && bytes.empty()) complain("no byte of payload");
    if (has_payload && !open_) complain("payload before a PES packet begins");
    if (has_payload && open_) raw_.insert(raw_.end(), bytes.begin(), bytes.end());
  }
  void read_reference(std::uint64_t reference) {
    if (last_reference_) {
      const std::int64_t distance = clock_distance(*last_reference_, reference);
      if (distance <= 0 || distance > 9000) complain("the clock moves on by " + std::to_string(distance));
    }
    last_reference_ = reference;
  }
  void read_table(std::uint32_t pid, bool starts, ByteView bytes) {
    if (!starts || bytes[0] != 0) return complain("a table that does not begin at once");
    const std::size_t length = (bytes[2] & 15u) << 8 | bytes[3];
    const ByteView section = bytes.subspan(1, length + 3);
    if (section[0] != (pid == 0 ? 0 : 2)) complain("another table's id");
    if (mpeg_crc(section) != 0) complain("a wrong CRC");
    for (const std::uint8_t byte : bytes.subspan(1 + section.size())) {
      if (byte != 0xff) complain("something after the section");
    }
    if (pid == 0) {
      finish();
      tables_before_ = 1;
      tables_at_ = at_;
      return;
    }
    if (tables_before_ != 1) complain("a PMT without PAT");
    tables_before_ = 2;
    const std::size_t info = (section[10] & 15u) << 8 | section[11];
    stream_type = section[12 + info];
    const std::size_t descriptor_bytes = (section[15 + info] & 15u) << 8 | section[16 + info];
    const ByteView found = section.subspan(17 + info, descriptor_bytes);
    descriptors.assign(found.begin(), found.end());
  }
  void begin(bool random_access, std::optional<std::uint64_t> reference) {
    finish();
    open_ = true;
    pes.emplace_back();
    pes.back().random_access = random_access;
    pes.back().after_tables = tables_before_ == 2;
    pes.back().offset = tables_before_ == 2 ? tables_at_ : at_;
    if (tables_before_ == 2 && !random_access) complain("a unit that begins without random access");
    tables_before_ = 0;
    if (reference) {
      pes.back().reference = *reference;
    } else {
      complain("a PES packet without clock reference");
    }
  }
  static std::uint64_t time_at(ByteView bytes, std::uint8_t kind, bool& good) {
    good = good && bytes[0] >> 4 == kind && (bytes[0] & bytes[2] & bytes[4] & 1) == 1;
    return std::uint64_t(bytes[0] >> 1 & 7) << 30 | std::uint64_t{bytes[1]} << 22 | std::uint64_t(bytes[2] >> 1) << 15 |
           std::uint64_t{bytes[3]} << 7 | bytes[4] >> 1;
  }
  void finish() {
    if (!std::exchange(open_, false)) return;
    ReadPes& one = pes.back();
    const Bytes raw = std::exchange(raw_, {});
    const bool video = (raw.size() > 3) && raw[3] == 0xe0;
    if (raw.size() < 14 || raw[0] != 0 || raw[1] != 0 || raw[2] != 1 || raw[6] != 0x84)
      return complain("no PES header");
    one.stated_bytes = std::size_t{raw[4]} << 8 | raw[5];
    if (one.stated_bytes == 0 ? !video : one.stated_bytes != raw.size() - 6) complain("a PES packet of another length");
    const std::size_t header = 9 + std::size_t{raw[8]};
    one.header.assign(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(header));
    one.es.assign(raw.begin() + static_cast<std::ptrdiff_t>(header), raw.end());
    bool good = header == (raw[7] == 0xc0 ? 19 : 14) && (raw[7] == 0xc0 || raw[7] == 0x80);
    one.presentation = one.decode = time_at(ByteView(raw).subspan(9), raw[7] == 0xc0 ? 3 : 2, good);
    if (raw[7] == 0xc0) one.decode = time_at(ByteView(raw).subspan(14), 1, good);
    if (!good) complain("times that are not well written");
    if (raw[7] == 0xc0 && one.decode == one.presentation) complain("a decode time that says nothing");
    if (clock_distance(one.reference, one.decode) < 0) complain("decoded before the clock");
    if (clock_distance(one.decode, one.presentation) < 0) complain("shown before it is decoded");
    if (pes.size() > 1 && clock_distance(pes[pes.size() - 2].decode, one.decode) <= 0) complain("decode times go back");
  }

  ByteView segment_;
  std::size_t at_ = 0, tables_at_ = 0;
  int tables_before_ = 0;
  bool open_ = false;
  Bytes raw_;
  std::optional<std::uint8_t> last_pat_, last_pmt_, last_media_;
  std::optional<std::uint64_t> last_reference_;
};

}  // namespace reelway::test
