#include "origin/quality/inspect.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <spdlog/fmt/fmt.h>

#include "origin/quality/checks.h"
#include "origin/quality/pass.h"
#include "origin/quality/subtitle_checks.h"
#include "origin/quality/subtitle_text.h"
#include "origin/transcode/child_process.h"
#include "origin/transcode/sandbox.h"

// Model. Three kinds of child processes, all in the sandbox: one ffprobe that lists the packets, one ffmpeg that
// decodes the film (pass.h), and for each finding a short one for its picture. What they print is read line by line as
// it comes; nothing of it is kept but what film_facts.h and container_facts.h keep.

namespace reelway::origin {
namespace {

using std::chrono::seconds;

constexpr seconds kScanLimit{4 * 3600};  // the whole file is read once, perhaps from a slow disk
constexpr seconds kPictureLimit{60};
// CPU and wall seconds for a second of film, on a slow machine, and for the start.
constexpr double kPassFactor = 60;
constexpr double kPassStart_s = 600;
constexpr double kFilmLongest_s = 12 * 3600;  // kSoundFramesMax
constexpr std::size_t kIllustrationsMax = 40;
constexpr double kWaveMargin_s = 2, kWaveLongest_s = 60;
// Of the progress: the packets, the pass; the rest is for pictures.
constexpr double kScanPart = 0.05, kPassPart = 0.9;

Result<ContainerScan> scan_container(const std::string& source, const TranscodeOptions& options,
                                     const StopSignal& stop) {
  ContainerScan scan;
  LineCutter lines([&](std::string_view line) { scan.add(line); });
  ToolRun run = reading_run(container_scan_arguments(source, options.ffprobe), source, kScanLimit);
  run.on_output = [&](std::string_view piece) { return lines.add(piece); };
  const Result<ChildEnd> end = run_tool(run, options.sandbox, stop);
  if (!end.ok()) return end.error();
  lines.finish();
  if (end->exit_code != 0) return refusal({}, end->errors);
  REELWAY_TRY(scan.finish());
  return scan;
}

// The one decode.
Result<FilmFacts> measure(const InspectionPlan& plan, double duration_s, const TranscodeOptions& options,
                          const StopSignal& stop, const std::function<void(double)>& on_progress) {
  FilmFacts film;
  MetadataReader reader([&](const FrameRecord& record) { film.add(record); },
                        [&](std::string_view line) { film.add_message(line); });
  LineCutter lines([&](std::string_view line) { reader.add(line); });
  const seconds limit(static_cast<std::int64_t>(kPassStart_s + duration_s * kPassFactor));
  ToolRun run = reading_run(inspection_arguments(plan, options.ffmpeg), plan.source, limit);
  run.job_folder = plan.folder;
  run.file_bytes = kPictureBytesMax;
  double told = 0;
  run.on_errors = [&](std::string_view piece) -> Result<void> {
    REELWAY_TRY(lines.add(piece));
    const double part = duration_s > 0 ? std::clamp(film.reached_s() / duration_s, 0.0, 1.0) : 0;
    if (part - told >= 0.01) on_progress(kScanPart + kPassPart * (told = part));
    return {};
  };
  const Result<ChildEnd> end = run_tool(run, options.sandbox, stop);
  if (!end.ok()) return end.error();
  lines.finish();
  if (end->errors.find("No space left on device") != std::string::npos) {
    return Error{ErrorCode::disk_full, Side::disk, true, "while a film was checked"};
  }
  if (film.picture().pictures == 0) {
    return Error{ErrorCode::media_unreadable, Side::client, false,
                 "no picture could be decoded: " + describe_end(*end)};
  }
  if (end->exit_code != 0) film.add_message("the decoder gave up: " + describe_end(*end));
  film.finish();
  return film;
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kSubtitleBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

// The texts of the film's own tracks were written by the pass. They are not kept.
void check_subtitle_tracks(const InspectionPlan& plan, const Measured& measured, FindingList& findings) {
  for (const int stream : plan.subtitles) {
    const std::filesystem::path path = std::filesystem::path(plan.folder) / subtitle_file(stream);
    check_subtitles(read_text(path),
                    {measured.track_name(stream), stream, measured.duration_s(), measured.film.picture().cuts},
                    findings);
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
}

bool is_of_sound(const Finding& finding, const SourceFacts& facts) {
  return std::any_of(facts.audio.begin(), facts.audio.end(),
                     [&](const AudioSource& audio) { return audio.stream == finding.stream; });
}

// The picture of one finding. Without a place, or where nothing can be shown, it has none: that is no error.
Result<void> illustrate(Finding& finding, const InspectionPlan& plan, const SourceFacts& facts, double duration_s,
                        const TranscodeOptions& options, const StopSignal& stop) {
  const bool is_wave = is_of_sound(finding, facts);
  const std::string file = finding.id + (is_wave ? ".png" : ".jpg");
  std::vector<std::string> command;
  if (is_wave) {
    const double from_s = std::max(finding.from_s - kWaveMargin_s, 0.0);
    const double length_s = std::min(finding.to_s - from_s + kWaveMargin_s, kWaveLongest_s);
    command = wave_arguments(plan, finding.stream, from_s, length_s, file, options.ffmpeg);
  } else {
    const double middle_s = (finding.from_s + finding.to_s) / 2;
    command = still_arguments(plan, std::clamp(middle_s, 0.0, std::max(duration_s - 0.5, 0.0)), file, options.ffmpeg);
  }
  ToolRun run = reading_run(std::move(command), plan.source, kPictureLimit);
  run.job_folder = plan.folder;
  run.file_bytes = kPictureBytesMax;
  const Result<ChildEnd> end = run_tool(run, options.sandbox, stop);
  if (!end.ok() && end.error().code != ErrorCode::timed_out) return end.error();
  std::error_code failure;
  const std::filesystem::path path = std::filesystem::path(plan.folder) / file;
  if (end.ok() && end->exit_code == 0 && std::filesystem::file_size(path, failure) > 0 && !failure) {
    finding.picture = file;
  } else {
    std::filesystem::remove(path, failure);
  }
  return {};
}

Result<void> illustrate_all(QualityReport& report, const InspectionPlan& plan, const SourceFacts& facts,
                            const TranscodeOptions& options, const StopSignal& stop,
                            const std::function<void(double)>& on_progress) {
  std::size_t made = 0;
  // Those that hold publishing come first.
  for (const Severity severity : {Severity::block, Severity::warn, Severity::info}) {
    for (Finding& finding : report.findings) {
      if (finding.severity != severity || finding.rule == Rule::language) continue;
      if (made++ == kIllustrationsMax) return {};
      REELWAY_TRY(illustrate(finding, plan, facts, report.duration_s, options, stop));
      const double part = static_cast<double>(made) / static_cast<double>(report.findings.size());
      on_progress(kScanPart + kPassPart + (1 - kScanPart - kPassPart) * std::min(part, 1.0));
    }
  }
  return {};
}

}  // namespace

Result<QualityReport> inspect(const std::string& source, const SourceFacts& facts, const QualityRules& rules,
                              const TranscodeOptions& options, const std::string& folder, const StopSignal& stop,
                              const std::function<void(double)>& on_progress) {
  if (facts.video_end_s - facts.start_s > kFilmLongest_s) {
    return Error{ErrorCode::media_unsupported, Side::client, false, "films over 12 hours cannot be checked"};
  }
  Result<ContainerScan> container = scan_container(source, options, stop);
  if (!container.ok()) return std::move(container).error();
  on_progress(kScanPart);
  const InspectionPlan plan = plan_inspection(source, folder, facts, *container, rules);
  Result<FilmFacts> film = measure(plan, facts.video_end_s - facts.start_s, options, stop, on_progress);
  if (!film.ok()) return std::move(film).error();
  const Measured measured{facts, *container, *film};
  FindingList findings(rules);
  QualityReport report;
  report.duration_s = measured.duration_s();
  check_picture(measured, findings, report);
  check_sound(measured, findings, report);
  check_channels(measured, findings);
  check_sync(measured, findings);
  check_container(measured, findings);
  check_subtitle_tracks(plan, measured, findings);
  std::move(findings).finish(report);
  REELWAY_TRY(illustrate_all(report, plan, facts, options, stop, on_progress));
  on_progress(1);
  return report;
}

}  // namespace reelway::origin
