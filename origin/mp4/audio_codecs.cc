#include <array>

#include "origin/mp4/bit_reader.h"
#include "origin/mp4/codec_strings.h"

// Model: AAC is described by an AudioSpecificConfig (ISO/IEC 14496-3 section 1.6) inside nested descriptors
// (ISO/IEC 14496-1 section 7.2.6); AC-3 and E-AC-3 by packed bits (ETSI TS 102 366 annex F).

namespace reelway::origin::mp4 {
namespace {

constexpr FourCc kEsds = four_cc("esds");
constexpr std::uint8_t kEsDescriptor = 3;
constexpr std::uint8_t kDecoderConfig = 4;
constexpr std::uint8_t kDecoderSpecificInfo = 5;
constexpr std::uint8_t kMpeg4Audio = 0x40;
constexpr std::uint32_t kAacLc = 2, kSbr = 5, kPs = 29;

constexpr std::array<std::uint32_t, 13> kAacRates = {96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                                     22050, 16000, 12000, 11025, 8000,  7350};
constexpr std::array<std::uint32_t, 8> kAacChannels = {0, 1, 2, 3, 4, 5, 6, 8};
constexpr std::array<std::uint32_t, 3> kAc3Rates = {48000, 44100, 32000};
constexpr std::array<std::uint32_t, 8> kAc3Channels = {2, 1, 2, 3, 3, 4, 4, 5};

// The body of the next descriptor, if it has this tag. Its length is 7 bits a byte, at most four bytes.
Result<ByteView> descriptor(ByteReader& reader, std::uint8_t tag) {
  const std::uint8_t found = reader.u8();
  std::uint32_t length = 0;
  for (int i = 0; i < 4; ++i) {
    const std::uint8_t byte = reader.u8();
    length = length << 7 | (byte & 127u);
    if ((byte & 128) == 0) break;
  }
  const ByteView body = reader.take(length);
  if (reader.failed()) return malformed(kEsds, "descriptor " + std::to_string(tag) + " is cut short");
  if (found != tag) {
    return malformed(kEsds, "descriptor " + std::to_string(tag) + " expected, found " + std::to_string(found));
  }
  return body;
}

struct AacConfig {
  std::uint32_t object_type = 0;
  std::uint32_t sample_rate = 0;
  std::uint32_t channel_configuration = 0;
};

std::uint32_t read_object_type(BitReader& reader) {
  const std::uint32_t type = reader.bits(5);
  return type == 31 ? 32 + reader.bits(6) : type;
}

std::uint32_t read_rate(BitReader& reader) {
  const std::uint32_t index = reader.bits(4);
  if (index == 15) return reader.bits(24);
  return index < kAacRates.size() ? kAacRates[index] : 0;
}

// SBR and PS may be announced after the configuration of the AAC core, where old decoders do not look.
void read_trailing_extension(BitReader& reader, AacConfig& config) {
  reader.flag();                                                   // frameLengthFlag
  if (reader.flag()) reader.bits(14);                              // coreCoderDelay
  if (reader.flag() || config.channel_configuration == 0) return;  // what follows has a length not known here
  if (reader.remaining() < 16 || reader.bits(11) != 0x2b7 || read_object_type(reader) != kSbr || !reader.flag()) return;
  const std::uint32_t rate = read_rate(reader);
  if (reader.failed() || rate == 0) return;
  config.object_type = kSbr;
  config.sample_rate = rate;
  if (reader.remaining() >= 12 && reader.bits(11) == 0x548 && reader.flag()) config.object_type = kPs;
}

Result<AacConfig> read_aac_config(ByteView bytes) {
  BitReader reader(bytes);
  AacConfig config;
  config.object_type = read_object_type(reader);
  config.sample_rate = read_rate(reader);
  config.channel_configuration = reader.bits(4);
  if (config.object_type == kSbr || config.object_type == kPs) config.sample_rate = read_rate(reader);
  if (reader.failed()) return malformed(kEsds, "AudioSpecificConfig is cut short");
  if (config.object_type == 0) return malformed(kEsds, "audio object type 0");
  if (config.sample_rate == 0) return malformed(kEsds, "sample rate is not known");
  if (config.object_type == kAacLc) read_trailing_extension(reader, config);
  return config;
}

std::uint32_t ac3_channels(std::uint32_t mode, bool lfe) {
  return kAc3Channels[mode & 7] + (lfe ? 1 : 0);
}

}  // namespace

Result<ByteView> aac_specific_config(ByteView esds) {
  ByteReader outer(esds);
  outer.u32();  // version and flags
  auto es = descriptor(outer, kEsDescriptor);
  if (!es) return es;
  ByteReader es_reader(*es);
  es_reader.u16();
  const std::uint8_t flags = es_reader.u8();
  if ((flags & 0x80) != 0) es_reader.u16();                 // depends on another stream
  if ((flags & 0x40) != 0) es_reader.skip(es_reader.u8());  // URL
  if ((flags & 0x20) != 0) es_reader.u16();                 // clock reference
  auto config = descriptor(es_reader, kDecoderConfig);
  if (!config) return config;
  ByteReader config_reader(*config);
  const std::uint8_t object_type = config_reader.u8();
  config_reader.skip(12);
  if (!config_reader.failed() && object_type != kMpeg4Audio) {
    return unsupported(kEsds, "object type " + std::to_string(object_type) + ", only MPEG-4 AAC (64) is packaged");
  }
  return descriptor(config_reader, kDecoderSpecificInfo);
}

Result<AudioCodec> aac_codec(ByteView esds) {
  const auto bytes = aac_specific_config(esds);
  if (!bytes) return bytes.error();
  const auto config = read_aac_config(*bytes);
  if (!config) return config.error();
  const std::uint32_t layout = config->channel_configuration;
  const std::uint32_t channels = layout < kAacChannels.size() ? kAacChannels[layout] : 0;  // 0: see the sample entry
  return AudioCodec{"mp4a.40." + std::to_string(config->object_type), config->sample_rate,
                    config->object_type == kPs && channels == 1 ? 2 : channels};
}

Result<AudioCodec> ac3_codec(ByteView dac3) {
  BitReader reader(dac3);
  const std::uint32_t rate = reader.bits(2);
  reader.bits(8);  // bsid, bsmod
  const std::uint32_t mode = reader.bits(3);
  const bool lfe = reader.flag();
  if (reader.failed() || rate >= kAc3Rates.size()) return malformed(four_cc("dac3"), "cut short or unknown rate");
  return AudioCodec{"ac-3", kAc3Rates[rate], ac3_channels(mode, lfe)};
}

// Channels of the first independent substream, and of what its dependent ones add to it in pairs and singles.
Result<AudioCodec> eac3_codec(ByteView dec3) {
  BitReader reader(dec3);
  reader.bits(16);  // data rate, number of independent substreams
  const std::uint32_t rate = reader.bits(2);
  reader.bits(5 + 1 + 1 + 3);
  const std::uint32_t mode = reader.bits(3);
  const bool lfe = reader.flag();
  reader.bits(3);
  const std::uint32_t dependents = reader.bits(4);
  const std::uint32_t locations = dependents > 0 ? reader.bits(9) : 0;
  if (reader.failed() || rate >= kAc3Rates.size()) return malformed(four_cc("dec3"), "cut short or unknown rate");
  std::uint32_t channels = ac3_channels(mode, lfe);
  constexpr std::uint32_t pairs = 0b001'110'011;  // Lc/Rc, Lrs/Rrs, then Lsd/Rsd, Lw/Rw, Lvh/Rvh
  for (std::uint32_t i = 0; i < 9; ++i) {
    if ((locations >> i & 1u) != 0) channels += (pairs >> i & 1u) != 0 ? 2 : 1;
  }
  return AudioCodec{"ec-3", kAc3Rates[rate], channels};
}

}  // namespace reelway::origin::mp4
