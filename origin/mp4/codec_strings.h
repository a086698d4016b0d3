#pragma once

#include <cstdint>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/mp4/box.h"

// RFC 6381 names from the bodies of codec configuration boxes. `entry` is the sample entry's type, which is part of
// some of the names.

namespace reelway::origin::mp4 {

Result<std::string> avc_codec_string(FourCc entry, ByteView avcc);
Result<std::string> hevc_codec_string(FourCc entry, ByteView hvcc);
Result<std::string> av1_codec_string(ByteView av1c);

struct AudioCodec {
  std::string codecs;
  std::uint32_t sample_rate = 0;
  std::uint32_t channels = 0;
};
Result<AudioCodec> aac_codec(ByteView esds);  // sample_rate and channels after SBR and PS
Result<AudioCodec> ac3_codec(ByteView dac3);
Result<AudioCodec> eac3_codec(ByteView dec3);

// The AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2.1) in the body of an esds box; a view into it.
Result<ByteView> aac_specific_config(ByteView esds);

}  // namespace reelway::origin::mp4
