#include "origin/jobs/verification.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <thread>

#include <spdlog/fmt/fmt.h>

#include "origin/catalog/published_version.h"
#include "origin/ingest/file_bytes.h"
#include "origin/ingest/sha256.h"
#include "origin/jobs/track_indexing.h"
#include "origin/mp4/track_index.h"
#include "origin/transcode/decode_check.h"

// Model. The tracks are a list of work for a few threads, each of which has one decoder at a time; the first error ends
// all. What the indexes say is compared when all files have been found to hold what they should.
//
// Two looks at the same bytes, because neither sees all: a decoder finds what cannot be decoded, whoever made it so,
// but not every changed bit; the sums that the index took of each unit find every change since, but not what was wrong
// then.

namespace reelway::origin {
namespace {

constexpr std::uint64_t kIndexBytesMax = 256ull << 20;

Error failed(const std::string& track, const std::string& why) {
  return {ErrorCode::verification_failed, Side::self, false, track + ": " + why};
}

Result<std::string> sha256_of(const std::string& path) {
  Sha256 sum;
  REELWAY_TRY(read_pieces(path, 0, [&](ByteView piece) -> Result<void> {
    sum.add(piece);
    return {};
  }));
  return sum.finish();
}

// Bytes that are no index are the same fault as pictures that are none.
Result<mp4::TrackIndex> index_of(const std::string& folder, const TrackRecord& track) {
  const Result<Bytes> bytes = read_whole_file(folder + "/" + track.index, kIndexBytesMax);
  if (!bytes.ok()) return bytes.error();
  Result<mp4::TrackIndex> index = mp4::parse_index(*bytes);
  if (!index.ok()) return failed(track.id, "its index cannot be read back: " + index.error().detail);
  return index;
}

double seconds_of(std::int64_t ticks, std::uint32_t timescale) {
  return static_cast<double>(ticks) / timescale;
}

// A track that begins with a gap is presented that much later.
double start_of(const mp4::TrackIndex& index) {
  return std::max(0.0, seconds_of(-index.edit_start, index.timescale));
}

double end_of(const mp4::TrackIndex& index) {
  return seconds_of(static_cast<std::int64_t>(index.edit_duration), index.timescale);
}

Result<void> check_ends(const TrackRecord& track, const mp4::TrackIndex& index, double film_end_s) {
  if (start_of(index) > kEndsApartMax_s) {
    return failed(track.id, fmt::format("begins {:.3f} s late", start_of(index)));
  }
  const double apart_s = end_of(index) - film_end_s;
  if (std::abs(apart_s) <= kEndsApartMax_s) return {};
  return failed(track.id, fmt::format("ends {:.3f} s {} the film's {:.3f} s", std::abs(apart_s),
                                      apart_s > 0 ? "after" : "before", film_end_s));
}

// Sound is cut where the picture is, to the nearest of its frames.
Result<void> check_cuts(const TrackRecord& track, const mp4::TrackIndex& video, const mp4::TrackIndex& sound) {
  for (std::size_t unit = 0; unit < std::min(video.units.size(), sound.units.size()); ++unit) {
    const double video_s = seconds_of(static_cast<std::int64_t>(mp4::unit_start(video, unit)), video.timescale);
    const double sound_s = seconds_of(static_cast<std::int64_t>(mp4::unit_start(sound, unit)), sound.timescale);
    if (std::abs(video_s - sound_s) <= kCutsApartMax_s) continue;
    return failed(track.id,
                  fmt::format("unit {} begins at {:.3f} s, the picture's at {:.3f} s", unit, sound_s, video_s));
  }
  return {};
}

Result<void> check_alignment(const VerifyRequest& request, const std::vector<TrackRecord>& tracks) {
  std::optional<mp4::TrackIndex> reference;
  for (const TrackRecord& track : tracks) {
    Result<mp4::TrackIndex> index = index_of(request.folder, track);
    if (!index.ok()) return std::move(index).error();
    REELWAY_TRY(check_ends(track, *index, request.plan.duration_s()));
    if (!reference) {
      reference = std::move(index).value();
      continue;
    }
    if (index->kind == mp4::TrackKind::audio) {
      REELWAY_TRY(check_cuts(track, *reference, *index));
      continue;
    }
    const Result<void> aligned = mp4::check_aligned(*reference, *index);
    if (!aligned.ok()) return failed(track.id, aligned.error().detail);
  }
  return {};
}

Result<void> check_pictures(const EncodePlan& plan, const TrackRecord& track, const DecodedTrack& decoded) {
  if (decoded.pictures == plan.frames) return {};
  return failed(track.id, fmt::format("{} pictures decode, {} were planned", decoded.pictures, plan.frames));
}

Result<void> check_samples(const EncodePlan& plan, const AudioOutput& audio, const DecodedTrack& decoded) {
  // The last frame of sound may be filled up.
  const std::uint64_t planned = plan.audio_samples(), frame = sound_format(audio.codec).frame_samples;
  if (decoded.samples + frame >= planned && decoded.samples <= planned + frame) return {};
  return failed(audio.track_id, fmt::format("{} samples decode, {} were planned", decoded.samples, planned));
}

class Verification {
 public:
  Verification(const VerifyRequest& request, std::vector<TrackRecord>& tracks, const TranscodeOptions& options,
               const StopSignal& stop, const std::function<void(double)>& on_progress)
      : request_(request),
        tracks_(tracks),
        options_(options),
        stop_(stop),
        on_progress_(on_progress),
        progress_(tracks.size(), 0.0) {}

  Result<JobCost> run() {
    std::vector<std::thread> threads;
    const std::size_t count = std::clamp<std::size_t>(request_.processes, 1, std::max<std::size_t>(1, tracks_.size()));
    for (std::size_t i = 1; i < count; ++i) threads.emplace_back([this] { work(); });
    work();
    for (std::thread& thread : threads) thread.join();
    if (error_) return *error_;
    REELWAY_TRY(check_alignment(request_, tracks_));
    return cost_;
  }

 private:
  // Takes one track after the other, until none is left or one is bad.
  void work() {
    for (;;) {
      std::size_t place = 0;
      {
        const std::lock_guard hold(mutex_);
        if (error_ || next_ == tracks_.size()) return;
        place = next_++;
      }
      Result<ToolCost> checked = check(place);
      const std::lock_guard hold(mutex_);
      if (!checked.ok()) {
        if (!error_) error_ = std::move(checked).error();
        return;
      }
      cost_.cpu_s += checked->cpu_s;
      cost_.wall_s += checked->wall_s;
    }
  }

  Result<ToolCost> check(std::size_t place) {
    TrackRecord& track = tracks_[place];
    const EncodePlan& plan = request_.plan;
    const bool is_video = place < plan.rungs.size();
    const std::string path = request_.folder + "/" + track.file;
    const Result<DecodedTrack> decoded = decode_whole({path, is_video, plan.duration_s()}, options_, stop_,
                                                      [this, place](double part) { tell(place, part); });
    if (!decoded.ok()) return decoded.error();
    REELWAY_TRY(is_video ? check_pictures(plan, track, *decoded)
                         : check_samples(plan, plan.audio[place - plan.rungs.size()], *decoded));
    const Result<mp4::TrackIndex> index = index_of(request_.folder, track);
    if (!index.ok()) return index.error();
    REELWAY_TRY(check_units(path, *index));
    Result<std::string> sum = sha256_of(path);
    if (!sum.ok()) return std::move(sum).error();
    track.sha256 = std::move(sum).value();
    sum = sha256_of(request_.folder + "/" + track.index);
    if (!sum.ok()) return std::move(sum).error();
    track.index_sha256 = std::move(sum).value();
    tell(place, 1);
    return decoded->cost;
  }

  void tell(std::size_t place, double part) {
    const std::lock_guard hold(mutex_);
    progress_[place] = part;
    double sum = 0;
    for (const double one : progress_) sum += one;
    on_progress_(sum / static_cast<double>(progress_.size()));
  }

  const VerifyRequest& request_;
  std::vector<TrackRecord>& tracks_;  // each entry is of whoever has taken it
  const TranscodeOptions& options_;
  const StopSignal& stop_;
  const std::function<void(double)>& on_progress_;

  std::mutex mutex_;
  std::size_t next_ = 0;  // guarded by mutex_, as all below
  std::vector<double> progress_;
  JobCost cost_;
  std::optional<Error> error_;
};

}  // namespace

Result<JobCost> verify_version(const VerifyRequest& request, std::vector<TrackRecord>& tracks,
                               const TranscodeOptions& options, const StopSignal& stop,
                               const std::function<void(double)>& on_progress) {
  return Verification(request, tracks, options, stop, on_progress).run();
}

}  // namespace reelway::origin
