#include "origin/hls/ts_program.h"

#include <algorithm>
#include <string>

#include "common/base/bytes.h"
#include "common/base/check.h"

// ISO/IEC 13818-1 section 2.4.4; what SAMPLE-AES adds is in Apple's "MPEG-2 Stream Encryption Format for HTTP Live
// Streaming", section 2.

namespace reelway::origin::hls {
namespace {

constexpr std::uint32_t kPmtPid = 0x1000;
constexpr std::uint8_t kSync = 0x47, kPayloadStarts = 0x40, kPayloadOnly = 0x10;
constexpr std::uint8_t kRegistration = 5, kPrivateData = 15;  // descriptor tags
constexpr std::size_t kSetupBytesMax = 64;

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

struct StreamType {
  std::uint8_t type;
  std::string_view registration;  // format identifier, or none
};

StreamType clear_type(TsCodec codec) {
  switch (codec) {
    case TsCodec::avc: return {0x1b, ""};
    case TsCodec::aac: return {0x0f, ""};
    case TsCodec::ac3: return {0x81, "AC-3"};   // ATSC A/52 annex A
    case TsCodec::eac3: return {0x87, "EAC3"};  // annex G
  }
  return {};
}

struct ProtectedType {
  std::uint8_t type;
  std::string_view private_data;  // value of private_data_indicator_descriptor
};

ProtectedType protected_type(TsCodec codec) {
  switch (codec) {
    case TsCodec::avc: return {0xdb, "zavc"};
    case TsCodec::aac: return {0xcf, "aacd"};
    case TsCodec::ac3: return {0xc1, "ac3d"};
    case TsCodec::eac3: return {0xc2, "ec3d"};
  }
  return {};
}

std::string_view audio_type(TsCodec codec, std::string_view codecs) {
  if (codec == TsCodec::ac3) return "zac3";
  if (codec == TsCodec::eac3) return "zec3";
  if (codecs == "mp4a.40.5") return "zach";
  return codecs == "mp4a.40.29" ? "zacp" : "zaac";
}

// What a decoder is set up with before it can see a frame: of AAC the AudioSpecificConfig, of E-AC-3 the dec3, of AC-3
// the first ten bytes of a syncframe (ETSI TS 102 366 section 4.3), here with a CRC and mix levels of 0, because the
// PMT stays the same for the whole track.
Bytes setup_data(const TsStream& stream) {
  if (stream.codec != TsCodec::ac3) return stream.setup;
  ByteReader dac3(stream.setup);
  const std::uint32_t bits = dac3.u24();  // fscod 2, bsid 5, bsmod 3, acmod 3, lfeon 1, bit_rate_code 5, reserved 5
  const std::uint32_t mode = bits >> 11 & 7;
  unsigned mix_bits = 0;
  if ((mode & 1) != 0 && mode != 1) mix_bits += 2;
  if ((mode & 4) != 0) mix_bits += 2;
  if (mode == 2) mix_bits += 2;
  const std::uint32_t rest = mode << 13 | (bits >> 10 & 1) << (12 - mix_bits);
  ByteWriter out;
  out.u16(0x0b77);
  out.u16(0);
  out.u8(static_cast<std::uint8_t>((bits >> 22 & 3) << 6 | (bits >> 5 & 31) << 1));
  out.u8(static_cast<std::uint8_t>(bits >> 14));  // bsid, bsmod
  out.u16(static_cast<std::uint16_t>(rest));
  out.u16(0);
  return out.take();
}

void write_descriptor(ByteWriter& out, std::uint8_t tag, ByteView body) {
  out.u8(tag);
  out.u8(static_cast<std::uint8_t>(body.size()));
  out.append(body);
}

void write_protected_descriptors(ByteWriter& out, const TsStream& stream, std::string_view codecs) {
  write_descriptor(out, kPrivateData, as_bytes(protected_type(stream.codec).private_data));
  if (stream.codec == TsCodec::avc) return;
  const Bytes data = setup_data(stream);
  ByteWriter setup;
  setup.append(std::string_view("apad"));
  setup.append(audio_type(stream.codec, codecs));
  setup.u16(0);  // priming: not told here, presentation times do
  setup.u8(1);   // version
  setup.u8(static_cast<std::uint8_t>(data.size()));
  setup.append(data);
  write_descriptor(out, kRegistration, setup.bytes());
}

}  // namespace

Result<TsProgram> ts_program(const TsStream& stream, std::string_view codecs, TsProtection protection) {
  const bool is_protected = protection == TsProtection::sample_aes;
  if (is_protected && stream.setup.size() > kSetupBytesMax) {
    return Error{ErrorCode::packaging_not_offered, Side::client, false,
                 "the sound's configuration has " + std::to_string(stream.setup.size()) +
                     " bytes, with SAMPLE-AES at most " + std::to_string(kSetupBytesMax)};
  }
  ByteWriter pat;
  pat.u16(1);  // program number
  pat.u16(static_cast<std::uint16_t>(0xe000 | kPmtPid));
  ByteWriter descriptors;
  if (is_protected) {
    write_protected_descriptors(descriptors, stream, codecs);
  } else if (const std::string_view name = clear_type(stream.codec).registration; !name.empty()) {
    write_descriptor(descriptors, kRegistration, as_bytes(name));
  }
  const std::uint32_t pid = ts_pid(stream.codec);
  ByteWriter pmt;
  pmt.u16(static_cast<std::uint16_t>(0xe000 | pid));  // whose packets have the clock
  pmt.u16(0xf000);                                    // no descriptors of the program
  pmt.u8(is_protected ? protected_type(stream.codec).type : clear_type(stream.codec).type);
  pmt.u16(static_cast<std::uint16_t>(0xe000 | pid));
  pmt.u16(static_cast<std::uint16_t>(0xf000 | descriptors.size()));
  pmt.append(descriptors.bytes());
  return TsProgram{table_packet(0, 0, 1, pat.bytes()), table_packet(kPmtPid, 2, 1, pmt.bytes())};
}

}  // namespace reelway::origin::hls
