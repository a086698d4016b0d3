#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "origin/hls/bit_rates.h"
#include "origin/hls/presentation.h"

// Pictures for fast motion: the first one of each unit, which needs no other (RFC 8216bis section 4.4.3.6).

namespace reelway::origin::hls {

// Where a packaging has the picture of a unit: a range of a file of its track's folder.
struct IFrame {
  std::string file;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint32_t unit = 0;
};
// One a unit, in order; empty for a packaging (or a track) that has none to offer.
std::vector<IFrame> iframes(const mp4::TrackIndex& index, std::uint32_t units_per_segment, Packaging packaging);

// `key_lines` as in media_playlist(). Of a track that has I-frames in this packaging.
std::string iframe_playlist(const Presentation& presentation, const Track& track, Packaging packaging,
                            std::string_view key_lines = {});
BitRates iframe_rates(const mp4::TrackIndex& index, std::uint32_t units_per_segment, Packaging packaging);

// In fragmented MP4 each picture is a fragment of its own. Those of kIFrameFileUnits units together are a file,
// "iframes-<n>.mp4", so that an edge keeps a minute's worth of them with one fetch: nothing of it is stored here, it is
// computed headers with ranges of the track file between them.
inline constexpr std::uint32_t kIFrameFileUnits = 24;

struct FilePiece {
  Bytes header;
  std::uint64_t file_offset = 0;  // of the range of the track file that follows it
  std::uint64_t file_bytes = 0;
};
std::uint32_t iframe_file_count(const mp4::TrackIndex& index);
// number < iframe_file_count(index).
std::vector<FilePiece> iframe_file(const mp4::TrackIndex& index, std::uint32_t number);

}  // namespace reelway::origin::hls
