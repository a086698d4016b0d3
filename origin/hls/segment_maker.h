#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/hls/content_key.h"
#include "origin/hls/packaging.h"
#include "origin/hls/timeline.h"

namespace reelway::origin::hls {

// One segment whose bytes are computed from its media, piece by piece, with bounded memory. Pure: whoever drives it
// reads the track file. Deterministic: two makers of one segment give the same bytes.
//
// Drive it so:
//   while (const auto input = maker.next(); input.bytes > 0) {
//     <read input.bytes at input.offset of the track file into media>
//     count = maker.take(media, output)            // of those `count` bytes are the segment's next ones
//   }
class SegmentMaker {
 public:
  // What next() may ask for, and take() may give, at once.
  static constexpr std::size_t kInputBytesMax = 256 * 1024;
  static constexpr std::size_t kOutputBytesMax = 320 * 1024;

  struct Input {
    std::uint64_t offset = 0;  // in the track file, within the segment's units
    std::uint64_t bytes = 0;   // 0: the segment is whole
  };

  virtual ~SegmentMaker() = default;
  // The media that it needs next. A range may be asked for more than once (to look before writing).
  virtual Input next() const = 0;
  // `media` is what next() asked for; `output` has kOutputBytesMax bytes. Returns how many it wrote, may be 0.
  // media_unsupported or stored_data_corrupt when the media cannot be packaged so.
  virtual Result<std::size_t> take(ByteView media, std::span<std::uint8_t> output) = 0;
  // What a later maker of the same segment can be given so that it need not look again; empty for nothing. Valid once
  // the segment is whole. At most kNotesBytesMax.
  static constexpr std::size_t kNotesBytesMax = 64 * 1024;
  virtual Bytes notes() const { return {}; }
};

struct SegmentOrder {
  const mp4::TrackIndex& index;  // outlives the maker
  std::uint32_t units_per_segment = 3;
  std::uint32_t segment = 0;
  Packaging packaging = Packaging::cmaf;
  const ContentKey* key = nullptr;  // of a protected packaging; copied
  ByteView notes{};                 // of an earlier maker of the same segment; copied
};
// http_not_found when there is no such segment or the track is not packaged so; never for Packaging::cmaf, which
// plan_segment() sees to without computing a byte of media.
Result<std::unique_ptr<SegmentMaker>> make_segment_maker(const SegmentOrder& order);

}  // namespace reelway::origin::hls
