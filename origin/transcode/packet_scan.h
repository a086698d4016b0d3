#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>

#include "common/base/result.h"
#include "origin/transcode/source_facts.h"

namespace reelway::origin {

// Reads a film's packets through, one line of ffprobe each: what a container announces is a promise, what its packets
// hold is the film. Lines are of `-show_entries packet=stream_index,pts_time,duration_time,flags -of csv=p=0`.
class PacketScan {
 public:
  void add(std::string_view line);

  // Completes the facts with where video and audio really end. media_zero_duration; media_truncated when packets are
  // missing at the end or are cut short. `errors` is what ffprobe wrote on standard error.
  Result<void> conclude(SourceFacts& facts, std::string_view errors, SourceKind kind = SourceKind::film) const;

 private:
  Result<void> check_video(const SourceFacts& facts) const;

  struct Stream {
    double end_s = 0;
    std::uint64_t packets = 0;
    std::uint64_t corrupt = 0;
  };
  const Stream& stream(int number) const;
  std::map<int, Stream> streams_;
};

}  // namespace reelway::origin
