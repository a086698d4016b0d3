#pragma once

#include <memory>

#include "origin/hls/content_key.h"
#include "origin/hls/ts_samples.h"
#include "origin/hls/ts_stream.h"

namespace reelway::origin::hls {

// Samples encrypted inside a transport stream that is itself in the clear: Apple's "MPEG-2 Stream Encryption Format for
// HTTP Live Streaming", METHOD=SAMPLE-AES. AES-128-CBC without padding begins anew with the key's IV at every NAL unit
// and every frame of sound.
//   H.264   NAL units of types 1 and 5 longer than 48 bytes: 32 bytes in the clear, then of every ten blocks of 16 the
//           first is encrypted, but never the last 16 bytes or fewer. Emulation prevention (ITU-T H.264 section
//           7.4.1.1) is applied over the whole encrypted unit, on top of what the unit had already, so sizes depend on
//           the media's bytes.
//   AAC, AC-3, E-AC-3   16 bytes of each frame in the clear (of AAC after the ADTS header; of E-AC-3 each syncframe is
//           one frame), then all whole blocks.
std::unique_ptr<TsSamples> sample_aes(TsCodec codec, const ContentKey& key);

}  // namespace reelway::origin::hls
