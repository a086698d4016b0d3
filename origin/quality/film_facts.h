#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "origin/quality/metadata_reader.h"
#include "origin/transcode/loudness.h"

// What one decode of a film measured, gathered from its records. Pure. Times are seconds from the film's first moment.

namespace reelway::origin {

struct Span {
  double from_s = 0, to_s = 0;
  double length() const { return to_s - from_s; }
  bool operator==(const Span&) const = default;
};

// Fields of the pictures of one window, counted by idet.
struct FieldCount {
  double at_s = 0;
  double interlaced = 0, progressive = 0, repeated = 0, all = 0;
};

// The picture within its bars, in pixels, the ends included. Empty when the picture was dark.
struct CropSample {
  double at_s = 0;
  int x1 = 0, x2 = 0, y1 = 0, y2 = 0;
};

struct PictureFacts {
  std::uint64_t pictures = 0;
  double first_s = 0, last_s = 0;
  std::vector<Span> black, frozen;
  std::vector<double> cuts;
  std::vector<float> times, changes;  // of each picture: when, and by how many percent it differs from the one before
  std::vector<FieldCount> fields;     // cumulative counts at rising times
  std::vector<CropSample> crops;
};

inline constexpr int kChannelsMax = 16;
inline constexpr double kSoundFrame_s = 0.1;  // ebur128 cuts sound so

struct ChannelFacts {
  std::vector<float> peak_db, rms_db, crossings;  // by frame; -200 for digital silence; crossings a sample
};

struct SoundFacts {
  int stream = -1;
  std::vector<double> times;            // where each frame begins
  std::vector<float> momentary, phase;  // by frame
  std::vector<ChannelFacts> channels;
  double integrated_lufs = -70, range_lu = 0;
  double true_peak_dbtp = -200;                       // of the whole track
  std::vector<std::pair<double, double>> peak_rises;  // when the highest true peak so far rose, and to what in dBTP
  std::optional<SoundMeasure> stereo_mix, surround_mix;

  std::size_t frames() const { return times.size(); }
  double end_s() const { return times.empty() ? 0 : times.back() + kSoundFrame_s; }
  // Loudest channel; -200 for no sound.
  float peak_db(std::size_t frame) const;
  float rms_db(std::size_t frame) const;
};
inline constexpr float kNoSound_db = -200;
inline constexpr std::size_t kSoundFramesMax = 12 * 36'000;  // of a track: 12 hours; what comes after is not measured

struct DecodeFault {
  double at_s = 0;
  bool is_video = true;
  int stream = -1;  // -1: not said
  std::string message;
};
inline constexpr std::size_t kFaultsMax = 2000;  // kept; all are counted
inline constexpr std::size_t kSpansMax = 20'000;
inline constexpr std::size_t kPicturesMax = 12 * 3600 * 120;  // 12 hours at 120 a second; changes of more are not kept

// Takes the records and messages of a pass in their order.
class FilmFacts {
 public:
  void add(const FrameRecord& record);
  // FFmpeg's own words: a fault of decoding at the place that has been reached, unless it is about our outputs.
  void add_message(std::string_view line);
  // Ends what is still open: black and stills that last until the end.
  void finish();

  const PictureFacts& picture() const { return picture_; }
  const std::map<int, SoundFacts>& sounds() const { return sounds_; }
  const std::vector<DecodeFault>& faults() const { return faults_; }
  std::uint64_t fault_count() const { return fault_count_; }
  double reached_s() const { return picture_.last_s; }

 private:
  void add_picture(const FrameRecord& record);
  void add_fields(const FrameRecord& record);
  void add_crop(const FrameRecord& record);
  void add_sound(int stream, const FrameRecord& record);
  void add_still(const FrameRecord& record);
  double still_since(double from_s) const;

  PictureFacts picture_;
  std::map<int, SoundFacts> sounds_;
  std::vector<DecodeFault> faults_;
  std::uint64_t fault_count_ = 0;
  std::optional<double> open_black_, open_still_;  // where one began that goes on
};

// Names of the branches of the pass's graph; of sound with the stream's number: "a", and those of its mixes.
inline constexpr std::string_view kPictureBranch = "v", kFieldsBranch = "i", kCropBranch = "c";
inline constexpr std::string_view kSoundBranch = "a", kStereoMixBranch = "m", kSurroundMixBranch = "n";

}  // namespace reelway::origin
