#include "origin/hls/ts_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/base/check.h"

// ISO/IEC 13818-1: packets in section 2.4.3.2, adaptation fields in 2.4.3.4, PES packets in 2.4.3.6, tables in 2.4.4.

namespace reelway::origin::hls {
namespace {

constexpr std::uint32_t kPmtPid = 0x1000, kVideoPid = 0x100, kAudioPid = 0x101;
constexpr std::uint8_t kSync = 0x47, kPayloadStarts = 0x40;
constexpr std::uint8_t kPayloadOnly = 0x10, kFieldOnly = 0x20, kFieldAndPayload = 0x30;
constexpr std::uint8_t kRandomAccess = 0x40, kHasReference = 0x10;
constexpr std::uint8_t kVideoStreamId = 0xe0, kAudioStreamId = 0xc0, kPrivateStreamId = 0xbd;
constexpr std::size_t kReferenceFieldBytes = 8;  // length, flags, clock
constexpr std::uint64_t kReserveBytes = 16;      // enough to spread over the packets that end() may have to add

// CRC-32 of annex A: polynomial 0x04c11db7, highest bit first.
std::uint32_t table_crc(ByteView bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    crc ^= std::uint32_t{byte} << 24;
    for (int i = 0; i < 8; ++i) crc = (crc & 0x80000000u) != 0 ? crc << 1 ^ 0x04c11db7u : crc << 1;
  }
  return crc;
}

// A section of `id` with this body, in a packet of its own.
TsPacket table_packet(std::uint32_t pid, std::uint8_t id, std::uint16_t id_extension, ByteView body) {
  ByteWriter section;
  section.u8(id);
  section.u16(static_cast<std::uint16_t>(0xb000 | (body.size() + 9)));
  section.u16(id_extension);
  section.u8(0xc1);  // version 0, in force now
  section.u16(0);    // the only section
  section.append(body);
  section.u32(table_crc(section.bytes()));
  TsPacket packet;
  packet.fill(0xff);
  packet[0] = kSync;
  packet[1] = static_cast<std::uint8_t>(kPayloadStarts | pid >> 8);
  packet[2] = static_cast<std::uint8_t>(pid);
  packet[3] = kPayloadOnly;
  packet[4] = 0;  // the section begins at once
  CHECK(section.size() <= packet.size() - 5);
  std::copy(section.bytes().begin(), section.bytes().end(), packet.begin() + 5);
  return packet;
}

void put_reference(std::uint8_t* at, std::uint64_t clock) {
  at[0] = static_cast<std::uint8_t>(clock >> 25);
  at[1] = static_cast<std::uint8_t>(clock >> 17);
  at[2] = static_cast<std::uint8_t>(clock >> 9);
  at[3] = static_cast<std::uint8_t>(clock >> 1);
  at[4] = static_cast<std::uint8_t>((clock & 1) << 7 | 0x7e);
  at[5] = 0;
}

// 33 bits and their markers, after four bits that say which time it is.
void write_time(ByteWriter& out, std::uint32_t kind, std::uint64_t clock) {
  out.u8(static_cast<std::uint8_t>(kind << 4 | (clock >> 30 & 7) << 1 | 1));
  out.u16(static_cast<std::uint16_t>((clock >> 15 & 0x7fff) << 1 | 1));
  out.u16(static_cast<std::uint16_t>((clock & 0x7fff) << 1 | 1));
}

struct StreamType {
  std::uint8_t type;
  std::string_view registration;  // format identifier, or none
};

StreamType stream_type(TsCodec codec) {
  switch (codec) {
    case TsCodec::avc: return {0x1b, ""};
    case TsCodec::aac: return {0x0f, ""};
    case TsCodec::ac3: return {0x81, "AC-3"};   // ATSC A/52 annex A
    case TsCodec::eac3: return {0x87, "EAC3"};  // annex G
  }
  return {};
}

std::uint32_t pid_of(TsCodec codec) {
  return codec == TsCodec::avc ? kVideoPid : kAudioPid;
}

}  // namespace

TsProgram ts_program(TsCodec codec) {
  const std::uint32_t pid = pid_of(codec);
  ByteWriter pat;
  pat.u16(1);  // program number
  pat.u16(static_cast<std::uint16_t>(0xe000 | kPmtPid));
  ByteWriter descriptors;
  const StreamType type = stream_type(codec);
  if (!type.registration.empty()) {
    descriptors.u8(5);  // registration_descriptor
    descriptors.u8(4);
    descriptors.append(type.registration);
  }
  ByteWriter pmt;
  pmt.u16(static_cast<std::uint16_t>(0xe000 | pid));  // whose packets have the clock
  pmt.u16(0xf000);                                    // no descriptors of the program
  pmt.u8(type.type);
  pmt.u16(static_cast<std::uint16_t>(0xe000 | pid));
  pmt.u16(static_cast<std::uint16_t>(0xf000 | descriptors.size()));
  pmt.append(descriptors.bytes());
  return {table_packet(0, 0, 1, pat.bytes()), table_packet(kPmtPid, 2, 1, pmt.bytes())};
}

TsWriter::TsWriter(TsCodec codec)
    : video_(codec == TsCodec::avc),
      stream_id_(codec == TsCodec::avc   ? kVideoStreamId
                 : codec == TsCodec::aac ? kAudioStreamId
                                         : kPrivateStreamId),
      pid_(pid_of(codec)) {}

std::uint8_t* TsWriter::packet() {
  CHECK(output_.size() - written_ >= kTsPacketBytes);
  std::uint8_t* at = output_.data() + written_;
  written_ += kTsPacketBytes;
  return at;
}

void TsWriter::program(const TsProgram& program, std::uint32_t unit) {
  for (const TsPacket* table : {&program.pat, &program.pmt}) {
    std::uint8_t* at = packet();
    std::memcpy(at, table->data(), kTsPacketBytes);
    at[3] |= static_cast<std::uint8_t>(unit % kTsContinuityCycle);
  }
}

void TsWriter::reference(std::uint64_t clock) {
  std::uint8_t* at = packet();
  std::memset(at, 0xff, kTsPacketBytes);
  at[0] = kSync;
  at[1] = static_cast<std::uint8_t>(pid_ >> 8);
  at[2] = static_cast<std::uint8_t>(pid_);
  at[3] = static_cast<std::uint8_t>(kFieldOnly | (counter_ + kTsContinuityCycle - 1) % kTsContinuityCycle);
  at[4] = kTsPayloadBytes - 1;
  at[5] = kHasReference;
  put_reference(at + 6, clock);
}

void TsWriter::begin(const Head& head) {
  const bool two_times = head.presentation != head.decode;
  const std::uint8_t times_bytes = two_times ? 10 : 5;
  ByteWriter out;
  out.u24(1);
  out.u8(stream_id_);
  out.u16(video_ ? 0 : static_cast<std::uint16_t>(3 + times_bytes + head.es_bytes));
  out.u8(0x84);  // not scrambled; a picture or a frame begins right after the header
  out.u8(two_times ? 0xc0 : 0x80);
  out.u8(times_bytes);
  write_time(out, two_times ? 3 : 2, head.presentation);
  if (two_times) write_time(out, 1, head.decode);
  first_ = true;
  random_access_ = head.random_access;
  reference_ = head.reference;
  held_bytes_ = 0;
  hold(out.bytes());
}

void TsWriter::hold(ByteView bytes) {
  CHECK(held_bytes_ + bytes.size() <= held_.size());
  if (!bytes.empty()) std::memcpy(held_.data() + held_bytes_, bytes.data(), bytes.size());
  held_bytes_ += bytes.size();
}

// An adaptation field of `bytes` with what the first packet of a PES packet has in it.
void TsWriter::write_field(std::uint8_t* field, std::size_t bytes) {
  field[0] = static_cast<std::uint8_t>(bytes - 1);
  if (bytes == 1) return;
  std::memset(field + 1, 0xff, bytes - 1);
  field[1] = 0;
  if (!first_) return;
  field[1] = static_cast<std::uint8_t>(kHasReference | (random_access_ ? kRandomAccess : 0));
  put_reference(field + 2, reference_);
}

// One packet with `count` bytes of payload, at most room().
void TsWriter::emit(const std::uint8_t* payload, std::size_t count) {
  std::uint8_t* at = packet();
  const std::size_t field_bytes = kTsPayloadBytes - count;
  at[0] = kSync;
  at[1] = static_cast<std::uint8_t>((first_ ? kPayloadStarts : 0) | pid_ >> 8);
  at[2] = static_cast<std::uint8_t>(pid_);
  at[3] =
      static_cast<std::uint8_t>((field_bytes > 0 ? kFieldAndPayload : kPayloadOnly) | counter_ % kTsContinuityCycle);
  if (field_bytes > 0) write_field(at + 4, field_bytes);
  std::memcpy(at + 4 + field_bytes, payload, count);
  ++counter_;
  first_ = false;
}

// The inner loop of all packaging: nearly every byte of a segment goes through here, 184 at a time.
const std::uint8_t* TsWriter::emit_whole(const std::uint8_t* payload, std::size_t packets) {
  CHECK((output_.size() - written_) / kTsPacketBytes >= packets);
  std::uint8_t* at = output_.data() + written_;
  const std::uint8_t pid_high = static_cast<std::uint8_t>(pid_ >> 8), pid_low = static_cast<std::uint8_t>(pid_);
  std::uint32_t counter = counter_;
  for (std::size_t i = 0; i < packets; ++i, ++counter, at += kTsPacketBytes, payload += kTsPayloadBytes) {
    at[0] = kSync;
    at[1] = pid_high;
    at[2] = pid_low;
    at[3] = static_cast<std::uint8_t>(kPayloadOnly | counter % kTsContinuityCycle);
    std::memcpy(at + 4, payload, kTsPayloadBytes);
  }
  counter_ = counter;
  written_ += packets * kTsPacketBytes;
  return payload;
}

void TsWriter::write(ByteView bytes) {
  // What is held goes first, its last packet filled up from `bytes`.
  std::size_t at = 0;
  while (at < held_bytes_ && held_bytes_ - at + bytes.size() > room() + kReserveBytes) {
    const std::size_t held = held_bytes_ - at;
    if (held < room()) {
      const std::size_t missing = room() - held;
      hold(bytes.first(missing));
      bytes = bytes.subspan(missing);
    }
    const std::size_t count = room();
    emit(held_.data() + at, count);
    at += count;
  }
  if (at > 0) {
    std::memmove(held_.data(), held_.data() + at, held_bytes_ - at);
    held_bytes_ -= at;
  }
  if (held_bytes_ == 0 && bytes.size() > kTsPayloadBytes + kReserveBytes) {
    const std::size_t packets = (bytes.size() - kReserveBytes - 1) / kTsPayloadBytes;
    emit_whole(bytes.data(), packets);
    bytes = bytes.subspan(packets * kTsPayloadBytes);
  }
  hold(bytes);
}

void TsWriter::end(bool is_last) {
  const std::size_t rest = held_bytes_ - std::min(held_bytes_, room());
  std::size_t packets = 1 + (rest + kTsPayloadBytes - 1) / kTsPayloadBytes;
  if (is_last) packets += (kTsContinuityCycle - (counter_ + packets) % kTsContinuityCycle) % kTsContinuityCycle;
  CHECK(packets <= held_bytes_);
  for (std::size_t at = 0; packets > 0; --packets) {
    const std::size_t count = std::min(room(), held_bytes_ - at - (packets - 1));
    emit(held_.data() + at, count);
    at += count;
  }
  held_bytes_ = 0;
}

}  // namespace reelway::origin::hls
