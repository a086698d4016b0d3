#include "origin/mp4/track_index.h"

#include <algorithm>
#include <string>

#include "common/base/check.h"
#include "origin/mp4/language.h"
#include "origin/mp4/movie.h"
#include "origin/mp4/sample_entry.h"
#include "origin/mp4/sample_tables.h"
#include "origin/mp4/ticks.h"
#include "origin/mp4/units.h"

// Model: moov -> movie (what the boxes say) -> samples -> edit (which media time is presentation time 0) -> units.
// Times: a sample is decoded at the sum of the durations before it, shown composition_offset later, and presented at
// that time minus edit_start. Offsets are shifted so that the least is 0, and edit_start with them: a track whose
// writer used negative offsets and one with an edit list then look the same, and no player sees a negative offset.

namespace reelway::origin::mp4 {
namespace {

constexpr std::uint64_t kDelaySecondsMax = 3600;

Result<TrackKind> kind_of(FourCc handler) {
  if (handler == four_cc("vide")) return TrackKind::video;
  if (handler == four_cc("soun")) return TrackKind::audio;
  return unsupported(four_cc("hdlr"), "a track of type " + four_cc_text(handler) + ", neither video nor audio");
}

Result<void> describe_media(const Movie& movie, TrackIndex& index) {
  if (!movie.tables.stsd) return malformed(four_cc("stsd"), "is missing");
  const bool video = index.kind == TrackKind::video;
  auto entry = video ? parse_video_entry(*movie.tables.stsd) : parse_audio_entry(*movie.tables.stsd);
  if (!entry) return std::move(entry).error();
  index.timescale = movie.timescale;
  index.language = language_tag(movie.language);
  index.codecs = std::move(entry->codecs);
  index.sample_entry = std::move(entry->box);
  index.sample_rate = entry->sample_rate;
  index.channels = entry->channels;
  const bool stated = movie.width != 0 && movie.height != 0;
  index.width = stated && video ? movie.width : entry->width;
  index.height = stated && video ? movie.height : entry->height;
  return {};
}

// Returns by how much presentation moved against the file's own composition times.
Result<std::int64_t> level_offsets(std::vector<Sample>& samples) {
  std::int64_t least = INT32_MAX;
  std::int64_t greatest = INT32_MIN;
  for (const Sample& sample : samples) {
    least = std::min<std::int64_t>(least, sample.composition_offset);
    greatest = std::max<std::int64_t>(greatest, sample.composition_offset);
  }
  if (greatest - least > INT32_MAX) return malformed(four_cc("ctts"), "offsets differ by more than 2147483647");
  for (Sample& sample : samples) {
    sample.composition_offset = static_cast<std::int32_t>(sample.composition_offset - least);
  }
  return least;
}

std::int64_t presentation_end(const TrackIndex& index, std::span<const Sample> samples) {
  std::int64_t decode_time = 0;
  std::int64_t end = 0;
  for (const Sample& sample : samples) {
    end = std::max(end, decode_time + sample.composition_offset + sample.duration);
    decode_time += sample.duration;
  }
  return end - index.edit_start;
}

// Drops the last samples that are presented only after `end`.
void drop_after(const TrackIndex& index, std::vector<Sample>& samples, std::int64_t end) {
  std::int64_t decode_time = 0;
  for (const Sample& sample : samples) decode_time += sample.duration;
  while (!samples.empty()) {
    const Sample& last = samples.back();
    decode_time -= last.duration;
    if (decode_time + last.composition_offset - index.edit_start < end) return;
    samples.pop_back();
  }
}

// An edit's duration is in the movie's timescale, often milliseconds. If it says the same as the samples to within one
// of these ticks, the samples are exact; if it is shorter, the edit cuts the end off.
Result<void> apply_edit_end(const Movie& movie, TrackIndex& index, std::vector<Sample>& samples) {
  std::int64_t end = presentation_end(index, samples);
  if (movie.edit.duration && end > 0) {
    const std::uint64_t stated = *movie.edit.duration + movie.edit.empty_duration;
    const std::uint64_t tick = index.timescale / movie.movie_timescale + 1;
    if (before(stated, movie.movie_timescale, static_cast<std::uint64_t>(end), index.timescale) &&
        static_cast<std::uint64_t>(end) - rescale(stated, index.timescale, movie.movie_timescale) > tick) {
      const auto limit = static_cast<std::int64_t>(rescale(stated, index.timescale, movie.movie_timescale));
      drop_after(index, samples, limit);
      end = std::min(presentation_end(index, samples), limit);
    }
  }
  if (samples.empty() || end <= 0) {
    return Error{ErrorCode::media_zero_duration, Side::client, false, "the edit list presents nothing"};
  }
  index.edit_duration = static_cast<std::uint64_t>(end);
  return {};
}

Result<void> apply_edit(const Movie& movie, TrackIndex& index, std::vector<Sample>& samples) {
  std::uint64_t total = 0;
  for (const Sample& sample : samples) total += sample.duration;
  if (total == 0) return Error{ErrorCode::media_zero_duration, Side::client, false, "all samples have no duration"};
  const Edit& edit = movie.edit;
  if (edit.media_time > total) return malformed(four_cc("elst"), "media_time is after the end of the media");
  if (edit.empty_duration > kDelaySecondsMax * movie.movie_timescale) {
    return unsupported(four_cc("elst"), "the track begins over an hour late");
  }
  if (edit.duration && *edit.duration > UINT64_MAX - edit.empty_duration) {
    return malformed(four_cc("elst"), "durations overflow");
  }
  const auto least = level_offsets(samples);
  if (!least) return least.error();
  const std::uint64_t delay = rescale(edit.empty_duration, index.timescale, movie.movie_timescale);
  index.edit_start = static_cast<std::int64_t>(edit.media_time) - static_cast<std::int64_t>(delay) - *least;
  return apply_edit_end(movie, index, samples);
}

}  // namespace

std::uint64_t TrackIndex::memory_bytes() const {
  return sizeof(*this) + samples.memory_bytes() + units.memory_bytes() + sample_entry.capacity();
}

double TrackIndex::frame_rate() const {
  if (media_duration == 0) return 0;
  return static_cast<double>(samples.size()) * timescale / static_cast<double>(media_duration);
}

Result<TrackIndex> index_from_moov(ByteView moov, std::uint64_t file_bytes, const Cuts* cuts) {
  const auto movie = parse_movie(moov);
  if (!movie) return movie.error();
  const auto kind = kind_of(movie->handler);
  if (!kind) return kind.error();
  TrackIndex index;
  index.kind = *kind;
  index.file_bytes = file_bytes;
  if (auto described = describe_media(*movie, index); !described) return std::move(described).error();
  auto run = expand_samples(movie->tables, file_bytes);
  if (!run) return std::move(run).error();
  std::vector<Sample>& samples = run->samples;
  REELWAY_TRY(apply_edit(*movie, index, samples));
  if (const std::string complaint = sample_complaint(samples); !complaint.empty()) {
    return unsupported(four_cc("moov"), complaint);
  }
  auto units = *kind == TrackKind::video ? cut_video_units(index, samples) : cut_audio_units(index, samples, cuts);
  if (!units) return std::move(units).error();
  index.samples = SampleTable(samples);
  CHECK(place_units(index, std::move(units).value(), run->file_offset));
  if (const std::string complaint = index_complaint(index); !complaint.empty()) {
    return unsupported(four_cc("moov"), complaint);
  }
  return index;
}

std::vector<Sample> samples_of(const TrackIndex& index, std::uint32_t first_unit, std::uint32_t unit_count) {
  CHECK(unit_count > 0 && first_unit < index.units.size() && unit_count <= index.units.size() - first_unit);
  const Unit first = index.units[first_unit];
  const Unit last = index.units[first_unit + unit_count - 1];
  return index.samples.range(first.first_sample, last.first_sample + last.sample_count - first.first_sample);
}

std::uint64_t unit_start(const TrackIndex& index, std::size_t unit) {
  if (unit == 0) return 0;
  if (unit >= index.units.size()) return index.edit_duration;
  const Unit at = index.units[unit];
  const std::int64_t shown =
      static_cast<std::int64_t>(at.decode_time) + index.samples.composition_offset(at.first_sample);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, shown - index.edit_start));
}

Cuts cuts_of(const TrackIndex& video) {
  Cuts cuts;
  cuts.timescale = video.timescale;
  cuts.end = video.edit_duration;
  for (std::size_t i = 0; i < video.units.size(); ++i) cuts.starts.push_back(unit_start(video, i));
  return cuts;
}

Result<void> check_aligned(const TrackIndex& reference, const TrackIndex& other) {
  const auto refuse = [](const std::string& what) {
    return Error{ErrorCode::transcode_failed, Side::self, false, "renditions are not aligned: " + what};
  };
  if (reference.units.size() != other.units.size()) {
    return refuse(std::to_string(other.units.size()) + " groups of pictures, the first rendition has " +
                  std::to_string(reference.units.size()));
  }
  for (std::size_t i = 0; i < reference.units.size(); ++i) {
    const std::uint64_t a = unit_start(reference, i);
    const std::uint64_t b = unit_start(other, i);
    if (before(a, reference.timescale, b, other.timescale) || before(b, other.timescale, a, reference.timescale)) {
      return refuse("group of pictures " + std::to_string(i) + " begins at another time");
    }
  }
  return {};
}

void set_unit_crc(TrackIndex& index, std::size_t unit, std::uint32_t crc32c) {
  CHECK(unit < index.units.size());
  index.units.set_crc(unit, crc32c);
}

}  // namespace reelway::origin::mp4
