#pragma once

#include <cstdint>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/hls/ts_writer.h"

namespace reelway::origin::hls {

// Turns samples as MP4 has them into what an elementary stream has, piece by piece: a sample may be larger than what a
// maker is given at once.
class TsSamples {
 public:
  virtual ~TsSamples() = default;
  // A sample of this many bytes begins. Not before the former has been taken whole.
  virtual void begin(std::uint64_t bytes) = 0;
  // `media` is the next part of the sample. Returns how many bytes of it need not be given again: all, but for up to
  // four that do not suffice to go on. media_unsupported when the sample is not what its sample entry says.
  virtual Result<std::size_t> take(ByteView media, TsWriter& out) = 0;
};

// Frames of sound, as they are.
class PlainFrames final : public TsSamples {
 public:
  void begin(std::uint64_t) override {}
  Result<std::size_t> take(ByteView media, TsWriter& out) override;
};

// The NAL units of a picture. Each has its length in four bytes in MP4 (ISO/IEC 14496-15 section 4.3.2) and a start
// code of four bytes here (ITU-T H.264 annex B), so nothing moves and sizes are known from the index. An access unit
// delimiter in the sample, of which there is one already, becomes as many zeros: trailing_zero_8bits.
class NalUnits {
 public:
  void begin(std::uint64_t bytes);

  struct Step {
    std::uint64_t length = 0;  // of the unit that begins, without its four bytes
    std::uint8_t header = 0;   // its first byte
    bool blank = false;        // it is to be zeros: a delimiter, or a unit without bytes
    std::uint8_t type() const { return header & 31; }
  };
  // At the beginning of a unit: reads it off `media`, of which at least begin_bytes() are there.
  std::size_t begin_bytes() const;
  Result<Step> begin_unit(ByteView media);
  bool at_unit_begin() const { return unit_left_ == 0; }
  // How many bytes of the current unit are in `media`; they count as taken.
  std::size_t body(ByteView media);
  std::uint64_t unit_left() const { return unit_left_; }

 private:
  std::uint64_t sample_left_ = 0;
  std::uint64_t unit_left_ = 0;
};

class PlainPictures final : public TsSamples {
 public:
  void begin(std::uint64_t bytes) override { units_.begin(bytes); }
  Result<std::size_t> take(ByteView media, TsWriter& out) override;

 private:
  NalUnits units_;
  bool blank_ = false;
};

// `count` zeros.
void write_zeros(TsWriter& out, std::size_t count);

inline constexpr std::uint8_t kStartCode[4] = {0, 0, 0, 1};

}  // namespace reelway::origin::hls
