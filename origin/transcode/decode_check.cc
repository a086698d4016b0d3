#include "origin/transcode/decode_check.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "origin/transcode/child_process.h"

// Model. Video: every picture is decoded and thrown away, and ffmpeg's progress lines count them. Audio: every frame
// of samples is a line with its length, whose sum is exact.
//
// Of the video decoder only the last step is left out, the filter that smooths the edges of blocks (-skip_loop_filter):
// it reads no bit of the file, so it can meet no damage, and costs a fourth of the decoder's time. All other faults
// that the decoder knows of are made errors (-err_detect explode), since by default it conceals what it can.

namespace reelway::origin {
namespace {

using std::chrono::seconds;

// CPU and wall seconds that decoding may take for a second of film, on a slow and busy machine, and for the start.
constexpr double kDecodeFactor = 20;
constexpr double kDecodeStart_s = 300;
constexpr std::size_t kWordsMax = 600;
constexpr double kToldStep = 0.01;

std::optional<std::uint64_t> number(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc()) return std::nullopt;
  return value;
}

// The fifth field of "0, dts, pts, duration, size, sum".
std::optional<std::uint64_t> duration_field(std::string_view line) {
  if (line.starts_with('#')) return std::nullopt;
  for (int field = 0; field < 3; ++field) {
    const auto comma = line.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    line.remove_prefix(comma + 1);
  }
  return number(line);
}

Error failed(const DecodeRequest& request, const std::string& why) {
  return {ErrorCode::verification_failed, Side::self, false,
          request.path.substr(request.path.rfind('/') + 1) + ": " + why};
}

}  // namespace

void DecodeReport::add(std::string_view line) {
  constexpr std::string_view kFrames = "frame=", kTime = "out_time_us=";
  if (!is_video_) {
    samples_ += duration_field(line).value_or(0);
    reached_s_ = static_cast<double>(samples_) / kAudioRate;
  } else if (line.starts_with(kFrames)) {
    pictures_ = number(line.substr(kFrames.size())).value_or(pictures_);
  } else if (line.starts_with(kTime)) {
    if (const auto time = number(line.substr(kTime.size()))) reached_s_ = static_cast<double>(*time) / 1e6;
  }
}

std::vector<std::string> decode_arguments(const DecodeRequest& request, const std::string& ffmpeg) {
  std::vector<std::string> words{ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-v", "error", "-threads", "1"};
  const auto add = [&](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  if (request.is_video) add({"-progress", "pipe:1", "-stats_period", "0.5", "-skip_loop_filter", "all"});
  add({"-err_detect", "crccheck+bitstream+buffer+explode", "-protocol_whitelist", "file", "-format_whitelist", "mov",
       "-i", "file:" + request.path});
  if (request.is_video) {
    add({"-map", "0:v:0", "-fps_mode", "passthrough", "-f", "null", "-"});
  } else {
    add({"-map", "0:a:0", "-c:a", "pcm_s16le", "-ar", std::to_string(kAudioRate), "-f", "framecrc", "pipe:1"});
  }
  return words;
}

Result<DecodedTrack> decode_whole(const DecodeRequest& request, const TranscodeOptions& options, const StopSignal& stop,
                                  const std::function<void(double)>& on_progress) {
  const seconds limit(static_cast<std::int64_t>(kDecodeStart_s + request.duration_s * kDecodeFactor));
  DecodeReport report(request.is_video);
  double told = 0;
  LineCutter lines([&](std::string_view line) { report.add(line); });
  ToolRun run = reading_run(decode_arguments(request, options.ffmpeg), request.path, limit);
  run.on_output = [&](std::string_view piece) -> Result<void> {
    REELWAY_TRY(lines.add(piece));
    const double part = request.duration_s > 0 ? std::clamp(report.reached_s() / request.duration_s, 0.0, 1.0) : 0;
    if (part - told >= kToldStep) on_progress(told = part);
    return {};
  };
  const Result<ChildEnd> end = run_tool(run, options.sandbox, stop);
  if (!end.ok()) return end.error();
  lines.finish();
  if (!end->errors.empty()) return failed(request, end->errors.substr(0, kWordsMax));
  if (end->exit_code != 0) return failed(request, describe_end(*end));
  return DecodedTrack{report.pictures(), report.samples(), end->cost};
}

}  // namespace reelway::origin
