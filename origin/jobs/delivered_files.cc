#include "origin/jobs/delivered_files.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "origin/ingest/manifest.h"
#include "origin/jobs/text_tracks.h"
#include "origin/quality/subtitle_checks.h"
#include "origin/text/read_text.h"
#include "origin/text/write_webvtt.h"

namespace reelway::origin {
namespace {

struct Layout {
  std::string_view name;
  std::uint32_t channels;
};
constexpr std::array kLayouts{Layout{"mono", 1}, Layout{"stereo", 2}, Layout{"5.1", 6}, Layout{"7.1", 8}};

Error fault(const DeliveredFile& file, std::string_view what) {
  return {ErrorCode::manifest_invalid, Side::client, false,
          file.place + ": " + file.filename + " " + std::string(what)};
}

Result<void> check_layout(const DeliveredFile& file, std::uint32_t channels) {
  const auto stated =
      std::find_if(kLayouts.begin(), kLayouts.end(), [&](const Layout& layout) { return layout.name == file.layout; });
  if (stated == kLayouts.end() || stated->channels == channels) return {};
  return fault(file, fmt::format("has {} channels, and the manifest says {}", channels, file.layout));
}

Result<void> check_length(const DeliveredFile& file, double sound_s, double picture_s) {
  const double longer_s = sound_s - picture_s;
  if (std::abs(longer_s) <= kSoundLengthDifferenceMax_s) return {};
  return fault(file, fmt::format("lasts {:.2f} s, {:.2f} s {} than the picture; at most {:.1f} s is let pass", sound_s,
                                 std::abs(longer_s), longer_s > 0 ? "longer" : "shorter", kSoundLengthDifferenceMax_s));
}

AudioOutput output_of(const DeliveredFile& file, const AudioSource& source) {
  const bool is_main = file.role == "main";
  AudioOutput output;
  output.stream = source.stream;
  output.layout = source.layout;
  output.language = primary_language(file.language);
  output.name = is_main ? file.language : file.language + " (" + file.role + ")";
  output.track_id = "audio/" + file.language + (is_main ? "" : "-" + file.role) + "-aac";
  output.source = file.name;
  return output;
}

Result<AudioOutput> sound_of(const DeliveredFile& file, const std::string& path, double picture_s,
                             const TranscodeOptions& options, const StopSignal& stop) {
  const Result<SourceFacts> facts = probe(path, options, stop, SourceKind::sound);
  if (!facts.ok()) {
    Error error = facts.error();
    if (error.side == Side::client) error.detail = file.place + ": " + file.filename + ": " + error.detail;
    return error;
  }
  if (facts->audio.size() != 1) {
    return fault(file, fmt::format("has {} audio tracks, and one file has one language", facts->audio.size()));
  }
  REELWAY_TRY(check_layout(file, facts->audio.front().channels));
  REELWAY_TRY(check_length(file, facts->audio_end_s - facts->start_s, picture_s));
  return output_of(file, facts->audio.front());
}

// What the rules read of a file: its own text, of TTML what it becomes.
Result<std::string> checked_text(const VersionRecord& version, const Catalog& catalog, const DeliveredFile& file,
                                 const text::TextSheet& sheet) {
  Result<std::string> text = delivered_text(version, catalog, file);
  if (text.ok() && text::format_of(*text) == text::FileFormat::ttml) return text::write_webvtt(sheet);
  return text;
}

}  // namespace

bool brings_sound(const VersionRecord& version) {
  return std::any_of(version.files.begin(), version.files.end(),
                     [](const DeliveredFile& file) { return file.kind == DeliveredKind::audio; });
}

Result<std::vector<AudioOutput>> delivered_sound(const VersionRecord& version, const Catalog& catalog, double picture_s,
                                                 const TranscodeOptions& options, const StopSignal& stop) {
  std::vector<AudioOutput> outputs;
  for (const DeliveredFile& file : version.files) {
    if (file.kind != DeliveredKind::audio) continue;
    const std::string path = catalog.delivered_path(version.title, version.version, file.name);
    Result<AudioOutput> output = sound_of(file, path, picture_s, options, stop);
    if (!output.ok()) return std::move(output).error();
    const bool has_default =
        std::any_of(outputs.begin(), outputs.end(), [](const auto& each) { return each.is_default; });
    output->is_default = file.role == "main" && !has_default;
    outputs.push_back(std::move(output).value());
  }
  return outputs;
}

Result<void> check_delivered_subtitles(const VersionRecord& version, const Catalog& catalog, const QualityRules& rules,
                                       QualityReport& report) {
  for (const DeliveredFile& file : version.files) {
    if (file.kind != DeliveredKind::subtitles) continue;
    const Result<DeliveredText> read = read_delivered_text(version, catalog, file);
    if (!read.ok()) return read.error();
    const Result<std::string> text = checked_text(version, catalog, file, read->cues);
    if (!text.ok()) return text.error();
    FindingList findings(rules);
    check_subtitles(*text, {"subtitles " + file.filename, -1, report.duration_s, {}}, findings);
    QualityReport of_file;
    std::move(findings).finish(of_file);
    for (Finding& finding : of_file.findings) {
      if (report.findings.size() == kFindingsMax) break;
      finding.id = file.name + "-" + finding.id;  // ids are unique within a report
      report.findings.push_back(std::move(finding));
    }
  }
  return {};
}

}  // namespace reelway::origin
