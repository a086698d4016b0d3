#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "origin/transcode/transcoder.h"

// Small pictures from a film's own rendition: decoding it one key frame at a time costs about a thirtieth of decoding
// it whole, and the pictures are cropped, upright, square-pixelled and in the range of today's screens as the rendition
// is.

namespace reelway::origin {

struct ThumbnailSize {
  std::uint32_t width = 0, height = 0;
};

struct ThumbnailPlan {
  std::string source;  // path of the rendition
  std::string folder;  // to write into
  std::chrono::milliseconds interval{10'000};
  double group_s = 2;          // from one key frame to the next, less than the interval
  std::uint64_t pictures = 0;  // that will come out, for progress
  double duration_s = 0;
  std::vector<ThumbnailSize> sizes;
};
inline constexpr std::uint32_t kSheetColumns = 5, kSheetRows = 5;

// The file of one size within the folder: JPEGs one after the other.
std::string thumbnail_images_file(const ThumbnailSize& size);
std::string thumbnail_sheets_file(const ThumbnailSize& size);

// How many pictures there are of a film whose key frames are presented at these times, in seconds: number n is the
// first that is at most half a group before n intervals.
std::uint64_t thumbnail_count(const std::vector<double>& key_frames_s, const ThumbnailPlan& plan);

std::vector<std::string> thumbnail_arguments(const ThumbnailPlan& plan, const std::string& ffmpeg);

// Makes them in the folder, which exists; the result is what it cost. Two runs give equal bytes. transcode_failed,
// disk_full; shutting_down, timed_out, sandbox_unavailable.
Result<ToolCost> make_thumbnails(const ThumbnailPlan& plan, const TranscodeOptions& options, const StopSignal& stop,
                                 const std::function<void(double)>& on_progress);

}  // namespace reelway::origin
