#pragma once

#include <cstdint>
#include <memory>

#include "common/base/bytes.h"
#include "common/base/result.h"

// Where the header of a slice ends, which encryption of samples leaves in the clear (ISO/IEC 23001-7 section 9.5.2).
// Pure.

namespace reelway::origin::mp4 {

// NAL units of one video track, shown in decode order. Keeps the parameter sets that slices refer to: those of the
// sample entry, and those that come between the pictures.
class SliceHeaders {
 public:
  // Of a NAL unit, as many first bytes as are ever looked at: a slice header is far shorter, and a parameter set too.
  static constexpr std::size_t kHeadBytesMax = 8 * 1024;

  virtual ~SliceHeaders() = default;
  // How many bytes of the NAL unit (without its length field) must stay in the clear: a slice's header up to its last
  // whole or begun byte, and all of a unit that is no slice. `head` is its first min(nal_bytes, kHeadBytesMax) bytes.
  // stored_data_corrupt when its header cannot be read, media_unsupported for what is not known here.
  virtual Result<std::uint64_t> clear_bytes(ByteView head, std::uint64_t nal_bytes) = 0;
  // Bytes of the length before each NAL unit, 1 to 4.
  virtual std::size_t length_bytes() const = 0;
};

// For a video track's sample entry (the whole box). media_unsupported for codecs without slices (AV1), mp4_malformed.
Result<std::unique_ptr<SliceHeaders>> slice_headers_of(ByteView sample_entry);

}  // namespace reelway::origin::mp4
