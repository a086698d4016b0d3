#include "origin/hls/ts_stream.h"

#include <algorithm>
#include <string>

#include "origin/mp4/bit_reader.h"
#include "origin/mp4/codec_strings.h"
#include "origin/mp4/sample_entry.h"

// Model: H.264 takes its parameter sets from avcC (ISO/IEC 14496-15 section 5.3.3.1), AAC its ADTS header from the
// AudioSpecificConfig (ISO/IEC 14496-3 sections 1.6.2.1 and 1.A.2.2). AC-3 and E-AC-3 need nothing.

namespace reelway::origin::hls {
namespace {

using mp4::four_cc;

constexpr std::uint32_t kAacFrameSamples = 1024;
constexpr std::uint32_t kAc3FrameSamples = 1536;  // six blocks of 256; so has every E-AC-3 sample (ETSI TS 102 366 F.6)
constexpr std::array<std::uint32_t, 13> kAdtsRates = {96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                                      22050, 16000, 12000, 11025, 8000,  7350};
constexpr std::uint32_t kSbr = 5, kPs = 29, kEscape = 31;

Error not_offered(const std::string& why) {
  return {ErrorCode::packaging_not_offered, Side::client, false, "in transport streams: " + why};
}

// `count` parameter sets, each behind 16 bits of length.
void append_sets(ByteReader& avcc, std::uint32_t count, Bytes& sets) {
  constexpr std::array<std::uint8_t, 4> start = {0, 0, 0, 1};
  for (std::uint32_t i = 0; i < count; ++i) {
    const ByteView set = avcc.take(avcc.u16());
    if (set.empty()) continue;
    sets.insert(sets.end(), start.begin(), start.end());
    sets.insert(sets.end(), set.begin(), set.end());
  }
}

Result<TsStream> avc_stream(ByteView avcc) {
  ByteReader reader(avcc);
  reader.skip(4);  // version, profile, constraints, level
  const std::uint32_t length_bytes = (reader.u8() & 3u) + 1;
  if (!reader.failed() && length_bytes != 4) {
    return not_offered("H.264 whose NAL units have lengths of " + std::to_string(length_bytes) + " bytes");
  }
  TsStream stream;
  append_sets(reader, reader.u8() & 31u, stream.parameter_sets);
  append_sets(reader, reader.u8(), stream.parameter_sets);
  if (reader.failed()) return mp4::malformed(four_cc("avcC"), "cut short");
  return stream;
}

// A rate as ADTS names it; 15 or more if it has no name for it.
std::uint32_t read_rate_name(mp4::BitReader& reader) {
  const std::uint32_t name = reader.bits(4);
  if (name != 15) return name;
  const auto place = std::find(kAdtsRates.begin(), kAdtsRates.end(), reader.bits(24));
  return place == kAdtsRates.end() ? 15 : static_cast<std::uint32_t>(place - kAdtsRates.begin());
}

std::uint32_t read_object_type(mp4::BitReader& reader) {
  const std::uint32_t type = reader.bits(5);
  return type == kEscape ? 32 + reader.bits(6) : type;
}

// SBR and PS are not announced in ADTS: decoders find them in the frames of the AAC core, which the header describes.
Result<TsStream> aac_stream(ByteView config) {
  mp4::BitReader reader(config);
  std::uint32_t type = read_object_type(reader);
  const std::uint32_t rate = read_rate_name(reader);
  const std::uint32_t channels = reader.bits(4);
  if (type == kSbr || type == kPs) {
    read_rate_name(reader);
    type = read_object_type(reader);
  }
  const bool short_frames = reader.flag();
  if (reader.failed()) return mp4::malformed(four_cc("esds"), "AudioSpecificConfig is cut short");
  if (type < 1 || type > 4) return not_offered("AAC of object type " + std::to_string(type));
  if (rate >= kAdtsRates.size()) return not_offered("AAC of a sample rate that ADTS has no name for");
  if (channels == 0 || channels > 7) return not_offered("AAC in a channel layout of its own");
  if (short_frames) return not_offered("AAC in frames of 960 samples");
  TsStream stream;
  // Sync word, MPEG-4, no CRC; profile, rate and channels; the length comes in bytes 3 to 5; buffer fullness
  // "variable".
  stream.adts = {0xff,
                 0xf1,
                 static_cast<std::uint8_t>((type - 1) << 6 | rate << 2 | channels >> 2),
                 static_cast<std::uint8_t>((channels & 3) << 6),
                 0,
                 0x1f,
                 0xfc};
  stream.frame_samples = kAacFrameSamples;
  stream.sample_rate = kAdtsRates[rate];
  stream.setup.assign(config.begin(), config.end());
  return stream;
}

Result<TsStream> dolby_stream(ByteView config, std::uint32_t sample_rate) {
  TsStream stream;
  stream.frame_samples = kAc3FrameSamples;
  stream.sample_rate = sample_rate;
  stream.setup.assign(config.begin(), config.end());
  return stream;
}

Result<TsStream> of_codec(TsCodec codec, Result<TsStream> stream) {
  if (stream) stream->codec = codec;
  return stream;
}

}  // namespace

Result<TsStream> ts_stream(const mp4::TrackIndex& index) {
  const auto header = mp4::next_box_header(index.sample_entry);
  if (!header) return header.error();
  const auto config = [&index](mp4::FourCc type) {
    return mp4::codec_configuration(index.sample_entry, index.kind == mp4::TrackKind::video, type);
  };
  switch (header->type) {
    case four_cc("avc1"):
    case four_cc("avc3"): {
      const auto avcc = config(four_cc("avcC"));
      return avcc ? of_codec(TsCodec::avc, avc_stream(*avcc)) : avcc.error();
    }
    case four_cc("mp4a"): {
      const auto esds = config(four_cc("esds"));
      if (!esds) return esds.error();
      const auto specific = mp4::aac_specific_config(*esds);
      return specific ? of_codec(TsCodec::aac, aac_stream(*specific)) : specific.error();
    }
    case four_cc("ac-3"): {
      const auto dac3 = config(four_cc("dac3"));
      return dac3 ? of_codec(TsCodec::ac3, dolby_stream(*dac3, index.sample_rate)) : dac3.error();
    }
    case four_cc("ec-3"): {
      const auto dec3 = config(four_cc("dec3"));
      return dec3 ? of_codec(TsCodec::eac3, dolby_stream(*dec3, index.sample_rate)) : dec3.error();
    }
    default: return not_offered(mp4::four_cc_text(header->type) + " (H.264, AAC, AC-3 and E-AC-3 are)");
  }
}

}  // namespace reelway::origin::hls
