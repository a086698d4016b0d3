#include <string_view>

#include "common/base/check.h"
#include "origin/quality/checks.h"
#include "origin/quality/subtitle_checks.h"
#include "origin/quality/subtitle_text.h"

// What media tools print about a hostile film, and subtitles as vendors send them. The first byte says which parser:
// 'm' the records of a pass, 'c' the lines of a container scan, 's' subtitles, 'r' a stored report. The checks run over
// whatever was read; their report must survive its own JSON.
namespace {

using namespace reelway::origin;

void check_report(FindingList list) {
  QualityReport report;
  std::move(list).finish(report);
  CHECK(report.findings.size() <= kFindingsMax);
  for (const Finding& finding : report.findings) CHECK(finding.from_s >= 0 && finding.to_s >= finding.from_s);
  const auto again = parse_quality_report(quality_key("a", "v1"), to_json(report));
  CHECK(again.ok());
  CHECK(to_json(*again) == to_json(report));
}

SourceFacts two_streams() {
  SourceFacts facts;
  facts.video.stream = 0;
  facts.video.width = 320;
  facts.video.height = 240;
  for (const int stream : {1, 2}) {
    facts.audio.emplace_back();
    facts.audio.back().stream = stream;
  }
  return facts;
}

template <class Add>
void for_lines(std::string_view text, const Add& add) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    add(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

void check_film(std::string_view records, std::string_view container) {
  const SourceFacts facts = two_streams();
  ContainerScan scan;
  for_lines(container, [&](std::string_view line) { scan.add(line); });
  CHECK(scan.finish().ok());
  FilmFacts film;
  MetadataReader reader([&](const FrameRecord& record) { film.add(record); },
                        [&](std::string_view line) { film.add_message(line); });
  for_lines(records, [&](std::string_view line) { reader.add(line); });
  film.finish();
  const Measured measured{facts, scan, film};
  const QualityRules rules;
  FindingList list(rules);
  QualityReport report;
  check_picture(measured, list, report);
  check_sound(measured, list, report);
  check_channels(measured, list);
  check_sync(measured, list);
  check_container(measured, list);
  check_report(std::move(list));
}

void check_subtitle_text(std::string_view text) {
  const QualityRules rules;
  FindingList list(rules);
  check_subtitles(text, {"subtitles", 2, 60, {1, 2, 30}}, list);
  const auto parsed = parse_subtitles(text);
  if (parsed.ok()) CHECK(!parsed->cues.empty() && parsed->cues.size() == parsed->time_lines);
  check_report(std::move(list));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr std::string_view kStreams =
      "stream|index=0|codec_type=video|width=320|height=240\n"
      "stream|index=1|codec_type=audio|channels=2\nstream|index=2|codec_type=audio|channels=6|channel_layout=5.1\n";
  switch (data[0]) {
    case 'm': check_film(text, kStreams); break;
    case 'c': check_film({}, text); break;
    case 's': check_subtitle_text(text); break;
    default:
      if (const auto report = parse_quality_report("/v1/quality/a/v1", text); report.ok()) {
        CHECK(parse_quality_report("/v1/quality/a/v1", to_json(*report)).ok());
      }
  }
  return 0;
}
