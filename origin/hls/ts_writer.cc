#include "origin/hls/ts_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/base/check.h"

// ISO/IEC 13818-1: packets in section 2.4.3.2, adaptation fields in 2.4.3.4, PES packets in 2.4.3.6, tables in
// ts_program.cc.

namespace reelway::origin::hls {
namespace {

constexpr std::uint8_t kSync = 0x47, kPayloadStarts = 0x40;
constexpr std::uint8_t kPayloadOnly = 0x10, kFieldOnly = 0x20, kFieldAndPayload = 0x30;
constexpr std::uint8_t kRandomAccess = 0x40, kHasReference = 0x10;
constexpr std::uint8_t kVideoStreamId = 0xe0, kAudioStreamId = 0xc0, kPrivateStreamId = 0xbd;
constexpr std::size_t kReferenceFieldBytes = 8;  // length, flags, clock
constexpr std::uint64_t kReserveBytes = 16;      // enough to spread over the packets that end() may have to add

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

}  // namespace

TsWriter::TsWriter(TsCodec codec)
    : video_(codec == TsCodec::avc),
      stream_id_(codec == TsCodec::avc   ? kVideoStreamId
                 : codec == TsCodec::aac ? kAudioStreamId
                                         : kPrivateStreamId),
      pid_(ts_pid(codec)) {}

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
