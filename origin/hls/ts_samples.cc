#include "origin/hls/ts_samples.h"

#include <algorithm>
#include <array>
#include <string>

#include "common/base/check.h"

namespace reelway::origin::hls {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::uint8_t kDelimiterType = 9;

Error broken(const std::string& what) {
  return {ErrorCode::media_unsupported, Side::disk, false, "a picture's NAL units: " + what};
}

}  // namespace

Result<std::size_t> PlainFrames::take(ByteView media, TsWriter& out) {
  out.write(media);
  return media.size();
}

void NalUnits::begin(std::uint64_t bytes) {
  CHECK(sample_left_ == 0 && unit_left_ == 0);
  sample_left_ = bytes;
}

// The length, and the byte that says what it is if there is one.
std::size_t NalUnits::begin_bytes() const {
  return static_cast<std::size_t>(std::min<std::uint64_t>(sample_left_, kLengthBytes + 1));
}

Result<NalUnits::Step> NalUnits::begin_unit(ByteView media) {
  CHECK(unit_left_ == 0 && media.size() >= begin_bytes());
  if (sample_left_ < kLengthBytes) return broken("bytes are left over after the last");
  ByteReader reader(media);
  Step step;
  step.length = reader.u32();
  sample_left_ -= kLengthBytes;
  if (step.length > sample_left_) return broken("one ends after its sample");
  if (step.length > 0) step.header = reader.u8();
  step.blank = step.length == 0 || step.type() == kDelimiterType;
  unit_left_ = step.length;
  return step;
}

std::size_t NalUnits::body(ByteView media) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(unit_left_, media.size()));
  unit_left_ -= count;
  sample_left_ -= count;
  return count;
}

Result<std::size_t> PlainPictures::take(ByteView media, TsWriter& out) {
  std::size_t used = 0;
  while (used < media.size()) {
    ByteView rest = media.subspan(used);
    if (units_.at_unit_begin()) {
      if (rest.size() < units_.begin_bytes()) break;
      const auto step = units_.begin_unit(rest);
      if (!step) return step.error();
      blank_ = step->blank;
      if (blank_) {
        write_zeros(out, kLengthBytes);
      } else {
        out.write(kStartCode);
      }
      used += kLengthBytes;
      rest = media.subspan(used);
    }
    const std::size_t count = units_.body(rest);
    if (blank_) {
      write_zeros(out, count);
    } else {
      out.write(rest.first(count));
    }
    used += count;
  }
  return used;
}

void write_zeros(TsWriter& out, std::size_t count) {
  static constexpr std::array<std::uint8_t, 1024> kZeros{};
  for (std::size_t done = 0; done < count; done += kZeros.size()) {
    out.write(ByteView(kZeros).first(std::min(kZeros.size(), count - done)));
  }
}

}  // namespace reelway::origin::hls
