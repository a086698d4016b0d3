#include "origin/mp4/sample_entry.h"

#include "origin/mp4/box.h"
#include "origin/mp4/codec_strings.h"

// Model: a sample entry is a fixed part (78 bytes for video, 28 for audio) and child boxes, one of which configures
// the codec. The entry is copied whole into init segments, so its children are walked even where nothing is read.

namespace reelway::origin::mp4 {
namespace {

constexpr FourCc kStsd = four_cc("stsd");
constexpr std::size_t kVideoFixedBytes = 78;
constexpr std::size_t kAudioFixedBytes = 28;
constexpr std::size_t kEntryBytesMax = 64 * 1024;

Result<Box> only_entry(ByteView stsd) {
  ByteReader reader(stsd);
  reader.u32();
  const std::uint32_t count = reader.u32();
  if (reader.failed()) return malformed(kStsd, "cut short");
  if (count != 1) return unsupported(kStsd, std::to_string(count) + " sample descriptions, exactly one is packaged");
  std::optional<Box> entry;
  auto walked = for_each_child(stsd.subspan(8), kStsd, [&](const Box& box) -> Result<void> {
    if (entry) return malformed(kStsd, "more entries than it counts");
    entry = box;
    return {};
  });
  if (!walked) return std::move(walked).error();
  if (!entry) return malformed(kStsd, "fewer entries than it counts");
  if (entry->whole.size() > kEntryBytesMax) return malformed(entry->type, "a sample entry over 64 KiB");
  // An entry may say "to the end" with size 0, which would not hold where it is copied to.
  if (ByteReader(entry->whole).u32() != entry->whole.size()) return malformed(entry->type, "its size is not stated");
  return *entry;
}

Result<ByteView> child(const Box& entry, std::size_t fixed_bytes, FourCc type) {
  if (entry.body.size() < fixed_bytes) return malformed(entry.type, "cut short");
  std::optional<ByteView> found;
  auto walked = for_each_child(entry.body.subspan(fixed_bytes), entry.type, [&](const Box& box) -> Result<void> {
    if (box.type == type && !found) found = box.body;
    return {};
  });
  if (!walked) return std::move(walked).error();
  if (!found) return malformed(entry.type, "has no " + four_cc_text(type));
  return *found;
}

Result<std::string> video_codec(const Box& entry) {
  const auto config = [&entry](FourCc type) { return child(entry, kVideoFixedBytes, type); };
  switch (entry.type) {
    case four_cc("avc1"):
    case four_cc("avc3"): {
      const auto avcc = config(four_cc("avcC"));
      return avcc ? avc_codec_string(entry.type, *avcc) : avcc.error();
    }
    case four_cc("hvc1"):
    case four_cc("hev1"): {
      const auto hvcc = config(four_cc("hvcC"));
      return hvcc ? hevc_codec_string(entry.type, *hvcc) : hvcc.error();
    }
    case four_cc("av01"): {
      const auto av1c = config(four_cc("av1C"));
      return av1c ? av1_codec_string(*av1c) : av1c.error();
    }
    default: return unsupported(entry.type, "a video codec that is not packaged (avc1, avc3, hvc1, hev1, av01 are)");
  }
}

Result<AudioCodec> audio_codec(const Box& entry) {
  const auto config = [&entry](FourCc type) { return child(entry, kAudioFixedBytes, type); };
  switch (entry.type) {
    case four_cc("mp4a"): {
      const auto esds = config(four_cc("esds"));
      return esds ? aac_codec(*esds) : esds.error();
    }
    case four_cc("ac-3"): {
      const auto dac3 = config(four_cc("dac3"));
      return dac3 ? ac3_codec(*dac3) : dac3.error();
    }
    case four_cc("ec-3"): {
      const auto dec3 = config(four_cc("dec3"));
      return dec3 ? eac3_codec(*dec3) : dec3.error();
    }
    default: return unsupported(entry.type, "an audio codec that is not packaged (mp4a, ac-3, ec-3 are)");
  }
}

}  // namespace

Result<SampleEntry> parse_video_entry(ByteView stsd) {
  const auto entry = only_entry(stsd);
  if (!entry) return entry.error();
  auto codecs = video_codec(*entry);
  if (!codecs) return std::move(codecs).error();
  SampleEntry result;
  result.box.assign(entry->whole.begin(), entry->whole.end());
  result.codecs = std::move(*codecs);
  ByteReader fixed(entry->body);
  fixed.skip(24);
  result.width = fixed.u16();
  result.height = fixed.u16();
  return result;
}

Result<SampleEntry> parse_audio_entry(ByteView stsd) {
  const auto entry = only_entry(stsd);
  if (!entry) return entry.error();
  const auto codec = audio_codec(*entry);
  if (!codec) return codec.error();
  ByteReader fixed(entry->body);
  fixed.skip(8);
  if (const std::uint16_t version = fixed.u16(); version != 0) {
    return unsupported(entry->type, "a QuickTime sound description, version " + std::to_string(version));
  }
  fixed.skip(6);
  const std::uint16_t stated_channels = fixed.u16();
  SampleEntry result;
  result.box.assign(entry->whole.begin(), entry->whole.end());
  result.codecs = codec->codecs;
  result.sample_rate = codec->sample_rate;
  result.channels = codec->channels != 0 ? codec->channels : stated_channels;
  if (result.channels == 0) return malformed(entry->type, "has no channels");
  return result;
}

Result<ByteView> codec_configuration(ByteView entry, bool video, FourCc type) {
  const auto header = next_box_header(entry);
  if (!header) return header.error();
  if (header->size != entry.size()) return malformed(header->type, "is not one box");
  const Box box{header->type, entry, entry.subspan(header->header_bytes)};
  return child(box, video ? kVideoFixedBytes : kAudioFixedBytes, type);
}

}  // namespace reelway::origin::mp4
