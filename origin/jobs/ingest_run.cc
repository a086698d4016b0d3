#include "origin/jobs/ingest_run.h"

#include <algorithm>
#include <cmath>

#include "origin/ingest/durable_files.h"
#include "origin/jobs/delivered_files.h"
#include "origin/jobs/image_tracks.h"
#include "origin/jobs/probe_rates.h"
#include "origin/jobs/text_tracks.h"
#include "origin/jobs/track_indexing.h"
#include "origin/jobs/verification.h"
#include "origin/quality/inspect.h"

// Model. The way of one film:
//
//   keep       uploads/<id>.part becomes originals/<title>/<version>/source, where it stays whatever happens; so do the
//              files that were delivered with it, under names of ours
//   probe      what the film is, or why it is none
//   quality    what of it is faulty (origin/quality); what blocks holds the job until somebody has waived it
//   rates      samples are encoded, to choose bit rates for this film (probe_rates.h)
//   transcode  the plan, and its parts, by any worker (job_board.h), each into a folder of its own
//   index      join the parts in work/<job>/version/, which nobody else reads; index and check every track; sync
//   images     subtitles become tracks, and small pictures are made of a rendition (text_tracks.h, image_tracks.h)
//   verify     every file is decoded once from end to end, and summed up (verification.h)
//   publish    rename that folder to titles/<title>/<version>, then one transaction makes it visible
//
// A folder in titles/ without a published record is nobody's: the next start removes it.

namespace reelway::origin {
namespace {

// Parts of the whole by which progress is told.
constexpr double kProbed = 0.03;
constexpr double kChecked = 0.1;
constexpr double kRated = 0.13;
constexpr double kTranscoded = 0.88;
constexpr double kIndexed = 0.9;
constexpr double kPictured = 0.92;
constexpr double kVerified = 0.99;

std::vector<StreamSound> sounds_of(const QualityReport& report) {
  std::vector<StreamSound> sounds;
  for (const TrackLoudness& track : report.loudness) {
    sounds.push_back({track.stream, {track.integrated_lufs, track.true_peak_dbtp}, track.stereo, track.surround});
  }
  return sounds;
}

// What the pictures show counts for more than what the file says of itself.
void follow_findings(EncodePlan& plan, const SourceFacts& facts, const QualityReport& report,
                     const PictureOptions& options) {
  const bool is_marked = plan.deinterlace != Deinterlace::none;
  if (report.interlaced && !is_marked) plan.deinterlace = Deinterlace::found;
  // Where both are found, what is woven of two moments cannot be put together again: all of it is deinterlaced.
  if (report.telecine && !report.interlaced) plan.deinterlace = Deinterlace::telecine;
  // Somebody who waives the finding says that the bars are meant.
  const bool bars_are_meant = std::any_of(report.findings.begin(), report.findings.end(), [](const Finding& finding) {
    return finding.rule == Rule::crop && finding.waiver.has_value();
  });
  if (report.crop && options.crop && !bars_are_meant) apply_crop(plan, facts, *report.crop);
}

}  // namespace

StageSpan span_of(JobStage stage) {
  switch (stage) {
    case JobStage::probe: return {0, kProbed};
    case JobStage::quality: return {kProbed, kChecked};
    case JobStage::rates: return {kChecked, kRated};
    case JobStage::transcode: return {kRated, kTranscoded};
    case JobStage::index: return {kTranscoded, kIndexed};
    case JobStage::images: return {kIndexed, kPictured};
    case JobStage::verify: return {kPictured, kVerified};
    case JobStage::publish: return {kVerified, 1};
  }
  return {0, 1};
}

double encoding_progress(double part) {
  return kRated + part * (kTranscoded - kRated);
}

IngestRun::IngestRun(const Parts& parts, JobRecord job)
    : parts_(parts),
      job_(std::move(job)),
      original_(parts_.catalog.original_path(job_.title, job_.version)),
      outputs_(parts_.folders.version(job_.job)) {}

Result<EncodePlan> IngestRun::prepare() {
  const Result<VersionRecord> version = parts_.catalog.version(job_.title, job_.version);
  if (!version.ok()) return version.error();
  parts_.on_progress(JobStage::probe, 0);
  REELWAY_TRY(keep_original(*version));
  const bool has_own_sound = !brings_sound(*version);
  Result<SourceFacts> facts =
      probe(original_, parts_.transcode, parts_.stop, has_own_sound ? SourceKind::film : SourceKind::picture);
  if (!facts.ok()) return facts.error();
  std::vector<AudioOutput> sound;
  if (!has_own_sound) {
    // What the picture's file has of its own is a guide track, and is not used.
    facts->audio.clear();
    facts->audio_end_s = facts->video_end_s;
    auto delivered =
        delivered_sound(*version, parts_.catalog, facts->video_end_s - facts->start_s, parts_.transcode, parts_.stop);
    if (!delivered.ok()) return std::move(delivered).error();
    sound = std::move(delivered).value();
  }
  const Result<QualityReport> quality = check_quality(*version, *facts);
  if (!quality.ok()) return quality.error();
  EncodePlan plan = plan_encode(*facts, version->language);
  if (!has_own_sound) plan.audio = std::move(sound);
  if (parts_.sound.surround) plan_surround(plan, *facts, version->language, *parts_.sound.surround);
  level_plan(plan, sounds_of(*quality), parts_.sound.loudness);
  follow_findings(plan, *facts, *quality, parts_.picture);
  if (parts_.picture.per_title) REELWAY_TRY(choose_rates(plan));
  return plan;
}

Result<void> IngestRun::choose_rates(EncodePlan& plan) {
  EncodePlan trial = plan;
  trial.source = original_;
  trial.output_folder = parts_.folders.samples(job_.job);
  const auto told = [&](double part) { parts_.on_progress(JobStage::rates, kChecked + part * (kRated - kChecked)); };
  const Result<RateTrial> tried = try_samples(trial, parts_.transcode, parts_.stop, told);
  if (!tried.ok()) return tried.error();
  set_rates(plan, *tried, parts_.picture);
  return {};
}

Result<QualityReport> IngestRun::check_quality(const VersionRecord& version, const SourceFacts& facts) {
  Result<QualityReport> report = load_report(parts_.store, job_.title, job_.version);
  if (!report.ok() && report.error().code == ErrorCode::quality_report_missing) {
    parts_.on_progress(JobStage::quality, kProbed);
    REELWAY_TRY(remove_all(parts_.pictures));
    REELWAY_TRY(make_folders(parts_.pictures));
    report =
        inspect(original_, facts, parts_.quality, parts_.transcode, parts_.pictures, parts_.stop,
                [&](double part) { parts_.on_progress(JobStage::quality, kProbed + part * (kChecked - kProbed)); });
    if (!report.ok()) return report;
    REELWAY_TRY(check_delivered_subtitles(version, parts_.catalog, parts_.quality, *report));
    report->title = job_.title;
    report->version = job_.version;
    report = save_report(parts_.store, parts_.clock, std::move(report).value());
  }
  if (report.ok()) REELWAY_TRY(check_publishable(parts_.store, job_.title, job_.version));
  return report;
}

Result<VersionRecord> IngestRun::finish(const EncodePlan& decided, const std::vector<TaskRecord>& parts) {
  Result<VersionRecord> version = parts_.catalog.version(job_.title, job_.version);
  if (!version.ok()) return version;
  parts_.on_progress(JobStage::index, kTranscoded);
  REELWAY_TRY(remove_all(outputs_));
  REELWAY_TRY(make_folders(outputs_));
  EncodePlan plan = decided;
  plan.source = original_;
  plan.output_folder = outputs_;
  const std::vector<EncodePart> planned = encode_parts(plan);
  std::vector<DonePart> done;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    done.push_back({parts_.folders.part(job_.job, planned[i].name, parts[i].token), parts[i]});
  }
  REELWAY_TRY(join(plan, done));
  Result<std::vector<TrackRecord>> tracks = index_outputs(plan);
  if (!tracks.ok()) return std::move(tracks).error();
  version->tracks = std::move(tracks).value();
  version->probe = plan.probe;
  version->duration_ms = std::llround(plan.duration_s() * 1000);

  JobCost of_images;
  REELWAY_TRY(make_side_tracks(plan, *version, of_images));
  const auto on_verified = [&](double part) {
    parts_.on_progress(JobStage::verify, kPictured + part * (kVerified - kPictured));
  };
  on_verified(0);
  const Result<JobCost> cost =
      verify_version({outputs_, plan, parts_.decoders}, version->tracks, parts_.transcode, parts_.stop, on_verified);
  if (!cost.ok()) return cost.error();
  version->cost = *cost;
  version->cost.cpu_s += of_images.cpu_s;
  version->cost.wall_s += of_images.wall_s;
  version->cost.bytes += of_images.bytes;

  parts_.on_progress(JobStage::publish, kVerified);
  REELWAY_TRY(move_into_place());
  return version;
}

// Subtitles and small pictures, beside the tracks that are joined and indexed.
Result<void> IngestRun::make_side_tracks(const EncodePlan& plan, VersionRecord& version, JobCost& cost) {
  Result<std::vector<TextTrackRecord>> texts = make_text_tracks(version, parts_.catalog, outputs_);
  if (!texts.ok()) return std::move(texts).error();
  version.texts = std::move(texts).value();
  const auto told = [&](double part) {
    parts_.on_progress(JobStage::images, kIndexed + part * (kPictured - kIndexed));
  };
  told(0);
  Result<std::vector<ImageTrackRecord>> images =
      make_image_tracks({outputs_, parts_.folders.images(job_.job), plan, version.tracks, parts_.picture.thumbnails},
                        parts_.transcode, parts_.stop, told, cost);
  if (!images.ok()) return std::move(images).error();
  version.images = std::move(images).value();
  return sync_folder(outputs_);
}

// A part that is no longer what its maker summed up is no fault of the disk's alone to whoever asks about the version.
Result<void> IngestRun::join(const EncodePlan& plan, const std::vector<DonePart>& parts) {
  const Result<void> joined = join_parts(plan, parts);
  if (joined.ok() || joined.error().code != ErrorCode::stored_data_corrupt) return joined;
  return Error{ErrorCode::verification_failed, Side::self, false, joined.error().detail};
}

Result<void> IngestRun::keep_original(const VersionRecord& version) {
  for (const DeliveredFile& file : version.files) {
    const std::string place = parts_.catalog.delivered_path(job_.title, job_.version, file.name);
    if (!exists(place)) REELWAY_TRY(move_durably(parts_.uploads.part_path(file.upload), place));
  }
  if (exists(original_)) return {};
  if (!exists(parts_.uploads.part_path(job_.upload))) {
    return Error{ErrorCode::original_removed, Side::client, false,
                 "the original of " + job_.title + " " + job_.version};
  }
  return move_durably(parts_.uploads.part_path(job_.upload), original_);
}

Result<void> IngestRun::move_into_place() {
  const std::string place = parts_.catalog.version_folder(job_.title, job_.version);
  REELWAY_TRY(remove_all(place));
  return move_durably(outputs_, place);
}

}  // namespace reelway::origin
