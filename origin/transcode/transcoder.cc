#include "origin/transcode/transcoder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "common/base/unique_fd.h"
#include "origin/transcode/packet_scan.h"

namespace reelway::origin {
namespace {

using std::chrono::seconds;

constexpr std::size_t kProbeTextMax = 4 << 20;
constexpr seconds kProbeLimit{300};
constexpr seconds kScanLimit{4 * 3600};  // the whole file is read once, perhaps from a slow disk
// CPU and wall seconds that encoding may take for a second of film, on a slow machine, and for the start.
constexpr double kEncodeFactor = 400;
constexpr double kEncodeStart_s = 600;
// Of one track file: several times what its bit rate gives.
constexpr std::uint64_t kFileBytesPerSecond = 8 << 20;
constexpr std::uint64_t kFileBytesStart = 64 << 20;

std::string head_of(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 16> head{};
  const ssize_t count = file ? ::read(file.get(), head.data(), head.size()) : 0;
  return {head.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
}

std::string last_lines(const std::string& errors) {
  constexpr std::size_t kDetailMax = 800;
  return errors.size() <= kDetailMax ? errors : errors.substr(errors.size() - kDetailMax);
}

Result<SourceFacts> probe_streams(const std::string& source, const TranscodeOptions& options, const StopSignal& stop,
                                  SourceKind kind) {
  std::string json;
  ToolRun run = reading_run(probe_arguments(source, options.ffprobe), source, kProbeLimit);
  run.on_output = [&](std::string_view piece) -> Result<void> {
    if (json.size() + piece.size() > kProbeTextMax) {
      return Error{ErrorCode::media_unsupported, Side::client, false, "the file describes itself in over 4 MiB"};
    }
    json.append(piece);
    return {};
  };
  const Result<ChildEnd> end = run_tool(run, options.sandbox, stop);
  if (!end.ok()) return end.error();
  if (end->exit_code != 0) return refusal(head_of(source), end->errors);
  return source_facts(json, kind);
}

Result<void> scan_packets(SourceFacts& facts, const std::string& source, const TranscodeOptions& options,
                          const StopSignal& stop, SourceKind kind) {
  PacketScan scan;
  LineCutter lines([&](std::string_view line) { scan.add(line); });
  ToolRun run = reading_run(packet_scan_arguments(source, options.ffprobe), source, kScanLimit);
  run.on_output = [&](std::string_view piece) { return lines.add(piece); };
  const Result<ChildEnd> end = run_tool(run, options.sandbox, stop);
  if (!end.ok()) return end.error();
  lines.finish();
  if (end->exit_code != 0) return refusal(head_of(source), end->errors);
  return scan.conclude(facts, end->errors, kind);
}

// FFmpeg's "out_time_us=1234567" as a part of the film.
class Progress {
 public:
  Progress(double duration_s, const std::function<void(double)>& report) : duration_s_(duration_s), report_(report) {}

  void add(std::string_view line) {
    constexpr std::string_view kName = "out_time_us=";
    if (!line.starts_with(kName)) return;
    line.remove_prefix(kName.size());
    std::int64_t microseconds = 0;
    const auto [end, failure] = std::from_chars(line.data(), line.data() + line.size(), microseconds);
    if (failure == std::errc()) report_(std::clamp(static_cast<double>(microseconds) / 1e6 / duration_s_, 0.0, 1.0));
  }

 private:
  double duration_s_;
  const std::function<void(double)>& report_;
};

Error failure_of(const ChildEnd& end) {
  const auto says = [&](const char* what) { return end.errors.find(what) != std::string::npos; };
  if (says("No space left on device")) {
    return {ErrorCode::disk_full, Side::disk, true, "while transcoding"};
  }
  const std::string detail = describe_end(end) + (end.errors.empty() ? "" : ": " + last_lines(end.errors));
  if (says("partial file") || says("ended prematurely"))
    return {ErrorCode::media_truncated, Side::client, false, detail};
  return {ErrorCode::transcode_failed, Side::self, false, detail};
}

}  // namespace

Result<SourceFacts> probe(const std::string& source, const TranscodeOptions& options, const StopSignal& stop,
                          SourceKind kind) {
  Result<SourceFacts> facts = probe_streams(source, options, stop, kind);
  if (!facts.ok()) return facts;
  REELWAY_TRY(scan_packets(*facts, source, options, stop, kind));
  return facts;
}

Result<ToolCost> transcode(const EncodePlan& plan, const EncodePart& part, const TranscodeOptions& options,
                           const StopSignal& stop, const std::function<void(double)>& on_progress) {
  const double duration_s = static_cast<double>(part.frames) / plan.rate.value();
  const seconds limit(static_cast<std::int64_t>(kEncodeStart_s + duration_s * kEncodeFactor));
  ToolRun run = reading_run(ffmpeg_arguments(plan, part, options.ffmpeg), plan.source, limit);
  run.job_folder = plan.output_folder;
  run.file_bytes = kFileBytesStart + static_cast<std::uint64_t>(duration_s) * kFileBytesPerSecond;
  Progress progress(duration_s, on_progress);
  LineCutter lines([&](std::string_view line) { progress.add(line); });
  run.on_output = [&](std::string_view piece) { return lines.add(piece); };
  const Result<ChildEnd> end = run_tool(run, options.sandbox, stop);
  if (!end.ok()) return end.error();
  if (end->exit_code != 0) return failure_of(*end);
  return end->cost;
}

}  // namespace reelway::origin
