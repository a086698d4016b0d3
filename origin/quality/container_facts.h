#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// What a container says of its streams and packets, read without decoding: one ffprobe over the whole file. Pure.

namespace reelway::origin {

struct StreamFacts {
  int stream = -1;
  std::string type;           // "video", "audio", "subtitle"
  std::string codec;          // FFmpeg's name
  int width = 0, height = 0;  // as coded, before any turn
  int channels = 0;
  std::string layout;    // "5.1(side)"; empty when not said
  std::string language;  // as tagged
  std::string title;
  bool is_default = false;
  bool is_picture = false;  // a cover, not a film
};

struct PacketFacts {
  std::uint64_t packets = 0;
  std::uint64_t corrupt = 0;                     // marked so by the demuxer
  bool begins_with_key = false;                  // the first packet that the file holds
  double begin_s = 0, end_s = 0;                 // of the first and after the last, in the order of showing
  std::vector<double> times;                     // of each packet of video, in the order of the file
  std::vector<double> key_times;                 // of those that are key frames
  std::vector<std::pair<double, double>> holes;  // of sound: from, to; at most kHolesMax
};
inline constexpr std::size_t kHolesMax = 1000;
inline constexpr double kHole_s = 0.05;  // shorter ones are rounding

// Lines of `ffprobe -of compact` with the sections packet, stream and format. Times are as the file has them.
class ContainerScan {
 public:
  void add(std::string_view line);

  // Each stream in order; sorted times. media_unsupported when packets are beyond kPacketsMax.
  Result<void> finish();
  const std::vector<StreamFacts>& streams() const { return streams_; }
  const StreamFacts* stream(int number) const;
  const PacketFacts& packets(int stream) const;

 private:
  void add_packet(const std::map<std::string, std::string, std::less<>>& fields);
  void add_stream(const std::map<std::string, std::string, std::less<>>& fields);

  std::vector<StreamFacts> streams_;
  std::map<int, PacketFacts> packets_;
  std::uint64_t packets_kept_ = 0;
};
inline constexpr std::uint64_t kPacketsMax = 12'000'000;  // of video: 27 hours at 120 pictures a second

std::vector<std::string> container_scan_arguments(const std::string& source, const std::string& ffprobe);

// "packet|stream_index=0|pts_time=1.5" -> the section, and its fields. A backslash keeps what follows it.
std::map<std::string, std::string, std::less<>> compact_fields(std::string_view line);

}  // namespace reelway::origin
