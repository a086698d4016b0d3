#include "origin/hls/iframes.h"

#include <algorithm>

#include "common/base/check.h"
#include "origin/hls/attribute_list.h"
#include "origin/hls/playlist_text.h"
#include "origin/hls/segment.h"
#include "origin/hls/timeline.h"
#include "origin/hls/ts_segment.h"
#include "origin/mp4/ticks.h"

// Model: a fragment of one sample lasts until the next unit, so decode times go on without a hole. Its place in time is
// that of the picture in the film, under the same init segment, and its range begins with its moof (Apple's rule 6.10).

namespace reelway::origin::hls {
namespace {

FilePiece iframe_piece(const mp4::TrackIndex& index, std::uint32_t unit) {
  const mp4::Unit& at = index.units[unit];
  const bool is_last = unit + 1 == index.units.size();
  const std::uint64_t end = is_last ? index.media_duration : index.units[unit + 1].decode_time;
  mp4::Sample picture = mp4::samples_of(index, unit, 1).front();
  picture.duration = static_cast<std::uint32_t>(end - at.decode_time);
  FilePiece piece;
  piece.file_offset = at.file_offset;
  piece.file_bytes = picture.bytes;
  piece.header = fragment_header({.index = index,
                                  .samples = {picture},
                                  .media_bytes = picture.bytes,
                                  .decode_time = at.decode_time,
                                  .sequence = unit + 1});
  return piece;
}

std::vector<IFrame> clear_iframes(const mp4::TrackIndex& index) {
  std::vector<IFrame> frames;
  std::uint64_t offset = 0;
  for (std::uint32_t unit = 0; unit < index.units.size(); ++unit) {
    if (unit % kIFrameFileUnits == 0) offset = 0;
    const FilePiece piece = iframe_piece(index, unit);
    const std::uint64_t bytes = piece.header.size() + piece.file_bytes;
    frames.push_back({"iframes-" + std::to_string(unit / kIFrameFileUnits) + ".mp4", offset, bytes, unit});
    offset += bytes;
  }
  return frames;
}

// Of a unit without pictures (there is none in films that pass ingest) players show the one before for longer.
std::vector<IFrame> ts_iframes(const mp4::TrackIndex& index, std::uint32_t units_per_segment) {
  std::vector<IFrame> frames;
  for (std::uint32_t n = 0; n < segment_count(index, units_per_segment); ++n) {
    for (const TsKeyFrame& frame : ts_key_frames(index, segment_units(index, units_per_segment, n))) {
      frames.push_back({std::to_string(n) + ".ts", frame.offset, frame.bytes, frame.unit});
    }
  }
  return frames;
}

std::uint64_t longest_seconds(const mp4::TrackIndex& index) {
  return target_seconds(index, 1);
}

// How long a picture stands: until the next one.
SegmentUnits shown_units(const std::vector<IFrame>& frames, std::size_t at, const mp4::TrackIndex& index) {
  const auto end = at + 1 < frames.size() ? frames[at + 1].unit : static_cast<std::uint32_t>(index.units.size());
  return {frames[at].unit, end - frames[at].unit};
}

}  // namespace

std::vector<IFrame> iframes(const mp4::TrackIndex& index, std::uint32_t units_per_segment, Packaging packaging) {
  if (index.kind != mp4::TrackKind::video) return {};
  if (packaging == Packaging::cmaf) return clear_iframes(index);
  if (packaging == Packaging::ts && ts_carries(index)) return ts_iframes(index, units_per_segment);
  return {};
}

std::string iframe_playlist(const Presentation& presentation, const Track& track, Packaging packaging,
                            std::string_view key_lines) {
  const mp4::TrackIndex& index = *track.index;
  std::string text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:" + std::to_string(longest_seconds(index)) +
                     "\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-I-FRAMES-ONLY\n";
  if (traits(packaging).container == Container::fmp4) text += "#EXT-X-MAP:URI=\"init.mp4\"\n";
  text += key_lines;
  const std::vector<IFrame> frames = iframes(index, presentation.units_per_segment, packaging);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    text += extinf_line(segment_microseconds(index, shown_units(frames, i, index)));
    text += byte_range_line(frames[i].bytes, frames[i].offset) + frames[i].file + "\n";
  }
  return text + "#EXT-X-ENDLIST\n";
}

BitRates iframe_rates(const mp4::TrackIndex& index, std::uint32_t units_per_segment, Packaging packaging) {
  std::vector<SegmentWeight> weights;
  const std::vector<IFrame> frames = iframes(index, units_per_segment, packaging);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    weights.push_back({frames[i].bytes, segment_ticks(index, shown_units(frames, i, index))});
  }
  return bit_rates(weights, index.timescale, static_cast<std::uint32_t>(longest_seconds(index)));
}

std::uint32_t iframe_file_count(const mp4::TrackIndex& index) {
  return static_cast<std::uint32_t>((index.units.size() + kIFrameFileUnits - 1) / kIFrameFileUnits);
}

std::vector<FilePiece> iframe_file(const mp4::TrackIndex& index, std::uint32_t number) {
  CHECK(number < iframe_file_count(index));
  const std::uint32_t first = number * kIFrameFileUnits;
  const auto end = std::min(static_cast<std::uint32_t>(index.units.size()), first + kIFrameFileUnits);
  std::vector<FilePiece> pieces;
  for (std::uint32_t unit = first; unit < end; ++unit) pieces.push_back(iframe_piece(index, unit));
  return pieces;
}

}  // namespace reelway::origin::hls
