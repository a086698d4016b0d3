#include "origin/mp4/codec_strings.h"

#include <cstdio>

#include "common/base/encoding.h"
#include "origin/mp4/bit_reader.h"

// Model: one function per configuration box. The video names follow ISO/IEC 14496-15 annex E (AVC, HEVC) and the AV1
// ISOBMFF binding section 5 in its short form.

namespace reelway::origin::mp4 {
namespace {

std::string trimmed_hex(std::uint32_t value) {
  char text[9];
  std::snprintf(text, sizeof text, "%X", value);
  return text;
}

std::uint32_t reversed(std::uint32_t value) {
  std::uint32_t result = 0;
  for (int i = 0; i < 32; ++i) result |= (value >> i & 1u) << (31 - i);
  return result;
}

std::string two_digits(std::uint32_t value) {
  return (value < 10 ? "0" : "") + std::to_string(value);
}

}  // namespace

Result<std::string> avc_codec_string(FourCc entry, ByteView avcc) {
  constexpr FourCc type = four_cc("avcC");
  if (avcc.size() < 7) return malformed(type, "cut short");
  if (avcc[0] != 1) return malformed(type, "configurationVersion " + std::to_string(avcc[0]));
  return four_cc_text(entry) + "." + hex(avcc.subspan(1, 3));
}

Result<std::string> hevc_codec_string(FourCc entry, ByteView hvcc) {
  constexpr FourCc type = four_cc("hvcC");
  ByteReader reader(hvcc);
  const std::uint8_t version = reader.u8();
  const std::uint8_t profile = reader.u8();
  const std::uint32_t compatibility = reader.u32();
  const ByteView constraints = reader.take(6);
  const std::uint8_t level = reader.u8();
  if (reader.failed()) return malformed(type, "cut short");
  if (version != 1) return malformed(type, "configurationVersion " + std::to_string(version));
  std::string text = four_cc_text(entry) + ".";
  if (const int space = profile >> 6; space != 0) text += static_cast<char>('A' + space - 1);
  text += std::to_string(profile & 31) + "." + trimmed_hex(reversed(compatibility));
  text += (profile & 0x20) != 0 ? ".H" : ".L";
  text += std::to_string(level);
  std::size_t used = constraints.size();
  while (used > 0 && constraints[used - 1] == 0) --used;
  for (std::size_t i = 0; i < used; ++i) text += "." + trimmed_hex(constraints[i]);
  return text;
}

Result<std::string> av1_codec_string(ByteView av1c) {
  constexpr FourCc type = four_cc("av1C");
  BitReader reader(av1c);
  const bool marker = reader.flag();
  const std::uint32_t version = reader.bits(7);
  const std::uint32_t profile = reader.bits(3);
  const std::uint32_t level = reader.bits(5);
  const bool high_tier = reader.flag();
  const bool high_bitdepth = reader.flag();
  const bool twelve_bit = reader.flag();
  reader.bits(13);
  if (reader.failed()) return malformed(type, "cut short");
  if (!marker || version != 1) return malformed(type, "marker or version is wrong");
  const std::uint32_t depth = !high_bitdepth ? 8 : profile == 2 && twelve_bit ? 12 : 10;
  return "av01." + std::to_string(profile) + "." + two_digits(level) + (high_tier ? "H" : "M") + "." +
         two_digits(depth);
}

}  // namespace reelway::origin::mp4
