#include "origin/transcode/thumbnails.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <spdlog/fmt/fmt.h>

namespace reelway::origin {
namespace {

using std::chrono::seconds;

// CPU and wall seconds for a second of film, on a slow and busy machine, and for the start.
constexpr double kFactor = 4, kStart_s = 300;
// Of one file: a picture of the greatest width at this quality has a tenth of it.
constexpr std::uint64_t kBytesOfPicture = 1 << 20;
constexpr std::string_view kImageQuality = "4", kSheetQuality = "5";
constexpr std::size_t kWordsMax = 600;

double interval_s(const ThumbnailPlan& plan) {
  return static_cast<double>(plan.interval.count()) / 1000;
}

// The key frame nearest to each multiple of the interval. `n` counts key frames, as no others are decoded.
std::string choice(const ThumbnailPlan& plan) {
  const std::string number = fmt::format("+{:.6f})/{:.3f})", plan.group_s / 2, interval_s(plan));
  return fmt::format("select='eq(n,0)+gt(floor((t{0},floor((prev_selected_t{0})'", number);
}

// JPEG is full range by custom, and its colours are those of BT.601.
std::string chain(const ThumbnailPlan& plan) {
  const std::size_t count = plan.sizes.size();
  std::string text = "[0:v:0]" + choice(plan);
  if (count > 1) text += fmt::format(",split={}", count);
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("[v{}]", i);
  for (std::size_t i = 0; i < count; ++i) {
    text += fmt::format(
        ";[v{0}]scale={1}:{2}:flags=bicubic+accurate_rnd:out_range=pc:out_color_matrix=bt601,setsar=1,format=yuvj420p,"
        "split[i{0}][t{0}];[t{0}]tile={3}x{4}[s{0}]",
        i, plan.sizes[i].width, plan.sizes[i].height, kSheetColumns, kSheetRows);
  }
  return text;
}

// "frame=12" of FFmpeg's progress, which counts the first output's pictures.
void tell(std::string_view line, std::uint64_t pictures, const std::function<void(double)>& on_progress) {
  constexpr std::string_view kName = "frame=";
  if (!line.starts_with(kName)) return;
  line.remove_prefix(kName.size());
  std::uint64_t count = 0;
  const auto [end, failure] = std::from_chars(line.data(), line.data() + line.size(), count);
  if (failure != std::errc()) return;
  on_progress(std::min(1.0, static_cast<double>(count) / static_cast<double>(std::max<std::uint64_t>(1, pictures))));
}

Error failure_of(const ChildEnd& end) {
  if (end.errors.find("No space left on device") != std::string::npos) {
    return {ErrorCode::disk_full, Side::disk, true, "while thumbnails were made"};
  }
  return {ErrorCode::transcode_failed, Side::self, false,
          "thumbnails: " + describe_end(end) + ": " + end.errors.substr(0, kWordsMax)};
}

}  // namespace

std::string thumbnail_images_file(const ThumbnailSize& size) {
  return fmt::format("images-{}.jpegs", size.width);
}
std::string thumbnail_sheets_file(const ThumbnailSize& size) {
  return fmt::format("sheets-{}.jpegs", size.width);
}

std::uint64_t thumbnail_count(const std::vector<double>& key_frames_s, const ThumbnailPlan& plan) {
  std::uint64_t count = 0;
  double last = 0;
  for (const double time : key_frames_s) {
    const double number = std::floor((time + plan.group_s / 2) / interval_s(plan));
    if (count > 0 && number <= last) continue;
    ++count;
    last = number;
  }
  return count;
}

std::vector<std::string> thumbnail_arguments(const ThumbnailPlan& plan, const std::string& ffmpeg) {
  std::vector<std::string> words{
      ffmpeg,      "-hide_banner", "-nostdin",      "-nostats", "-y",       "-v", "error",
      "-progress", "pipe:1",       "-stats_period", "0.5",      "-threads", "1",  "-filter_complex_threads",
      "1",         "-skip_frame",  "nokey"};
  const std::vector<std::string> source = source_arguments(plan.source);
  words.insert(words.end(), source.begin(), source.end());
  words.insert(words.end(), {"-filter_complex", chain(plan)});
  const auto add_output = [&](const std::string& pad, std::string_view quality, const std::string& file) {
    words.insert(words.end(), {"-map", pad, "-fps_mode", "passthrough", "-c:v", "mjpeg", "-threads", "1", "-flags",
                               "+bitexact", "-q:v", std::string(quality), "-map_metadata", "-1", "-fflags", "+bitexact",
                               "-f", "mjpeg", "file:" + plan.folder + "/" + file});
  };
  for (std::size_t i = 0; i < plan.sizes.size(); ++i) {
    add_output(fmt::format("[i{}]", i), kImageQuality, thumbnail_images_file(plan.sizes[i]));
    add_output(fmt::format("[s{}]", i), kSheetQuality, thumbnail_sheets_file(plan.sizes[i]));
  }
  return words;
}

Result<ToolCost> make_thumbnails(const ThumbnailPlan& plan, const TranscodeOptions& options, const StopSignal& stop,
                                 const std::function<void(double)>& on_progress) {
  const seconds limit(static_cast<std::int64_t>(kStart_s + plan.duration_s * kFactor));
  ToolRun run = reading_run(thumbnail_arguments(plan, options.ffmpeg), plan.source, limit);
  run.job_folder = plan.folder;
  run.file_bytes = (plan.pictures + kSheetColumns * kSheetRows) * kBytesOfPicture;
  LineCutter lines([&](std::string_view line) { tell(line, plan.pictures, on_progress); });
  run.on_output = [&](std::string_view piece) { return lines.add(piece); };
  const Result<ChildEnd> end = run_tool(run, options.sandbox, stop);
  if (!end.ok()) return end.error();
  if (end->exit_code != 0) return failure_of(*end);
  return end->cost;
}

}  // namespace reelway::origin
