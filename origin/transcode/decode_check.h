#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/result.h"
#include "origin/transcode/transcoder.h"

namespace reelway::origin {

// What came out of one track file when all of it was decoded.
struct DecodedTrack {
  std::uint64_t pictures = 0;  // of a video track
  std::uint64_t samples = 0;   // of an audio track, each of all channels
  ToolCost cost;
};

struct DecodeRequest {
  std::string path;
  bool is_video = true;
  double duration_s = 0;  // for its time limit, and for what is told of its progress
};

// Decodes a track file from end to end, confined, on one thread. verification_failed with the decoder's own words when
// it says anything, whatever it exits with; shutting_down, timed_out, sandbox_unavailable. `on_progress` gets 0 to 1.
Result<DecodedTrack> decode_whole(const DecodeRequest& request, const TranscodeOptions& options, const StopSignal& stop,
                                  const std::function<void(double)>& on_progress);

// For tests.
std::vector<std::string> decode_arguments(const DecodeRequest& request, const std::string& ffmpeg);

// Takes in what those arguments make ffmpeg print, line by line. Pure.
class DecodeReport {
 public:
  explicit DecodeReport(bool is_video) : is_video_(is_video) {}
  void add(std::string_view line);

  std::uint64_t pictures() const { return pictures_; }
  std::uint64_t samples() const { return samples_; }
  double reached_s() const { return reached_s_; }

 private:
  bool is_video_;
  std::uint64_t pictures_ = 0, samples_ = 0;
  double reached_s_ = 0;
};

}  // namespace reelway::origin
