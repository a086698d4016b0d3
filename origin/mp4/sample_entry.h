#pragma once

#include <cstdint>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/mp4/box.h"

namespace reelway::origin::mp4 {

struct SampleEntry {
  Bytes box;                                    // the whole entry, for init segments
  std::string codecs;                           // RFC 6381
  std::uint32_t width = 0, height = 0;          // coded size, video
  std::uint32_t sample_rate = 0, channels = 0;  // audio, as decoded
};

// The one entry of a stsd box, given its body. media_unsupported for a codec that HLS cannot carry or that is not
// known here, and for more than one entry.
Result<SampleEntry> parse_video_entry(ByteView stsd);
Result<SampleEntry> parse_audio_entry(ByteView stsd);

// The body of the child box of this type ("avcC", "esds") in a whole sample entry, as an index keeps it; a view into
// it.
Result<ByteView> codec_configuration(ByteView entry, bool video, FourCc type);

}  // namespace reelway::origin::mp4
