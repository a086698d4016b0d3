#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/mp4/box.h"
#include "origin/mp4/sample_table.h"
#include "origin/mp4/unit_table.h"

// The index of one mezzanine track file: everything that packaging needs, so that the MP4 itself is never parsed
// again. Pure: bytes in, bytes out. The on-disk form is docs/formats/track_index.md.

namespace reelway::origin::mp4 {

enum class TrackKind : std::uint8_t { video, audio };

struct TrackIndex {
  TrackKind kind = TrackKind::video;
  std::uint32_t timescale = 0;                  // ticks per second
  std::uint64_t media_duration = 0;             // sum of sample durations, in ticks
  std::int64_t edit_start = 0;                  // presentation time 0 is this media time (B-frame delay, AAC priming);
                                                // below 0: the first sample is presented that much later than 0
  std::uint64_t edit_duration = 0;              // the presentation ends here, in ticks from presentation time 0
  std::string codecs;                           // RFC 6381, from the real bytes: "avc1.64001f", "mp4a.40.2"
  std::string language = "und";                 // BCP 47
  std::uint32_t width = 0, height = 0;          // display size, video
  std::uint32_t sample_rate = 0, channels = 0;  // audio
  std::uint64_t file_bytes = 0;                 // size of the track file, checked when it is opened
  Bytes sample_entry;                           // the whole stsd entry box (avc1, mp4a, ...), copied into init segments
  SampleTable samples;                          // in decode order
  UnitTable units;

  std::uint64_t memory_bytes() const;
  double frame_rate() const;  // samples per second of media time, video
};

// From the bytes of a whole moov box (with its header; find_moov says where it is) of a file with exactly one track,
// whose samples lie in decode order without gaps. `cut_times` are the presentation times (seconds as rational
// ticks/timescale of `cut_timescale`) at which units begin: for video pass none (units begin at each sync sample that
// starts a group of 2 s), for audio pass the video's. Unit sums are zero until set_unit_crc. mp4_malformed names the
// box and the field.
struct Cuts {
  std::uint32_t timescale = 0;
  std::vector<std::uint64_t> starts;  // presentation times of unit starts after the edit, first is 0
  std::uint64_t end = 0;              // when the video ends; audio that goes on is cut every 2 s from here
};
Result<TrackIndex> index_from_moov(ByteView moov, std::uint64_t file_bytes, const Cuts* cuts);
Cuts cuts_of(const TrackIndex& video);

// The samples of some units, in decode order. first_unit + unit_count <= units.size().
std::vector<Sample> samples_of(const TrackIndex& index, std::uint32_t first_unit, std::uint32_t unit_count);

// When unit number `unit` begins, in ticks of presentation time: 0 for the first, edit_duration for the one after the
// last. So differences of neighbours are durations and sum up to edit_duration.
std::uint64_t unit_start(const TrackIndex& index, std::size_t unit);

// transcode_failed, with the place, if the units of `other` do not begin when those of `reference` do: players could
// not switch between the two.
Result<void> check_aligned(const TrackIndex& reference, const TrackIndex& other);

// The sum of a unit's bytes in the file, to be set for every unit before the index is stored.
void set_unit_crc(TrackIndex& index, std::size_t unit, std::uint32_t crc32c);

Bytes serialize_index(const TrackIndex& index);  // versioned, ends with a CRC32C of itself
Result<TrackIndex> parse_index(ByteView bytes);  // index_malformed

}  // namespace reelway::origin::mp4
