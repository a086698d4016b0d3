#include <algorithm>

#include <spdlog/fmt/fmt.h>

#include "origin/quality/checks.h"

namespace reelway::origin {
namespace {

// Faults that are no further apart are one finding.
constexpr double kSamePlace_s = 2;
// Windows of idet: what is less sure than this many judged pictures is not judged.
constexpr double kJudgedPicturesMin = 20;
constexpr double kFieldsPeriod_s = 10, kFieldsWindow_s = 2;
constexpr std::size_t kLitPicturesMin = 3;

void check_decoding(const Measured& measured, FindingList& findings) {
  const std::vector<DecodeFault>& faults = measured.film.faults();
  const double limit = findings.rules()[Rule::decode_error].limit;
  for (std::size_t i = 0; i < faults.size();) {
    std::size_t end = i + 1;
    while (end < faults.size() && faults[end].at_s - faults[end - 1].at_s <= kSamePlace_s) ++end;
    const auto count = static_cast<double>(end - i);
    if (count > limit) {
      const int stream = faults[i].stream >= 0 ? faults[i].stream
                         : faults[i].is_video  ? measured.facts.video.stream
                                               : -1;
      findings.add(
          Rule::decode_error, stream, {faults[i].at_s, faults[end - 1].at_s}, {count, limit},
          fmt::format("The file is damaged at {}: the decoder reported {} errors, first: \"{}\". Viewers would "
                      "see blocks or hear gaps there.",
                      time_code(faults[i].at_s), end - i, faults[i].message));
    }
    i = end;
  }
}

void check_black_and_stills(const Measured& measured, FindingList& findings) {
  const PictureFacts& picture = measured.film.picture();
  const int stream = measured.facts.video.stream;
  const RuleSetting& black = findings.rules()[Rule::black];
  for (const Span& span : picture.black) {
    if (span.length() < black.seconds) continue;
    findings.add(Rule::black, stream, span, {span.length(), black.seconds},
                 fmt::format("The picture is black for {:.1f} s, from {} to {}.", span.length(), time_code(span.from_s),
                             time_code(span.to_s)));
  }
  const RuleSetting& freeze = findings.rules()[Rule::freeze];
  for (const Span& span : subtracted(picture.frozen, picture.black)) {
    if (span.length() < freeze.seconds) continue;
    findings.add(Rule::freeze, stream, span, {span.length(), freeze.seconds},
                 fmt::format("The picture stands still for {:.1f} s, from {} to {}.", span.length(),
                             time_code(span.from_s), time_code(span.to_s)));
  }
}

// Pictures judged between two counts.
struct Judged {
  Span span;
  double interlaced = 0, progressive = 0, repeated = 0, all = 0;
  double judged() const { return interlaced + progressive; }
  void add(const Judged& other) {
    span.to_s = other.span.to_s;
    interlaced += other.interlaced;
    progressive += other.progressive;
    repeated += other.repeated;
    all += other.all;
  }
};

// One for each window of the pass. What is counted at its first picture belongs to the jump from the window before.
std::vector<Judged> windows_of(const std::vector<FieldCount>& counts) {
  std::vector<Judged> windows;
  for (std::size_t i = 0; i + 1 < counts.size();) {
    std::size_t last = i;
    while (last + 1 < counts.size() && counts[last + 1].at_s - counts[last].at_s < kFieldsPeriod_s - kFieldsWindow_s) {
      ++last;
    }
    if (last > i) {
      windows.push_back({{counts[i].at_s, counts[last].at_s},
                         counts[last].interlaced - counts[i].interlaced,
                         counts[last].progressive - counts[i].progressive,
                         counts[last].repeated - counts[i].repeated,
                         counts[last].all - counts[i].all});
    }
    i = last + 1;
  }
  return windows;
}

void report_fields(const Measured& measured, const Judged& section, FindingList& findings, QualityReport& report) {
  const RuleSetting& interlaced = findings.rules()[Rule::interlaced];
  const RuleSetting& telecine = findings.rules()[Rule::telecine];
  const int stream = measured.facts.video.stream;
  const double share = section.interlaced / section.judged();
  const double repeated = section.all > 0 ? section.repeated / section.all : 0;
  if (repeated >= telecine.limit) {
    report.telecine = true;
    findings.add(
        Rule::telecine, stream, section.span, {repeated, telecine.limit},
        fmt::format("From {} to {} fields are repeated in {:.0f} of 100 pictures, as when film is stretched to "
                    "the rate of television; motion stutters.",
                    time_code(section.span.from_s), time_code(section.span.to_s), repeated * 100));
    return;
  }
  report.interlaced = true;
  findings.add(Rule::interlaced, stream, section.span, {share, interlaced.limit},
               fmt::format("From {} to {} {:.0f} of 100 pictures are interlaced{}: moving edges look like combs.",
                           time_code(section.span.from_s), time_code(section.span.to_s), share * 100,
                           measured.facts.video.interlaced ? "" : ", though the file says that they are not"));
}

// Neighbouring windows that are interlaced are one section. A window tells of the ten seconds that it stands for.
void check_fields(const Measured& measured, FindingList& findings, QualityReport& report) {
  const RuleSetting& rule = findings.rules()[Rule::interlaced];
  std::optional<Judged> section;
  const auto close = [&] {
    if (section && section->judged() >= kJudgedPicturesMin) report_fields(measured, *section, findings, report);
    section.reset();
  };
  for (Judged window : windows_of(measured.film.picture().fields)) {
    if (window.judged() <= 0) continue;  // nothing moves: it tells nothing
    if (window.interlaced / window.judged() < rule.limit) {
      close();
      continue;
    }
    window.span.to_s = std::min(window.span.from_s + kFieldsPeriod_s, measured.duration_s());
    if (section)
      section->add(window);
    else
      section = window;
  }
  close();
}

struct Bars {
  int left = 0, right = 0, top = 0, bottom = 0;
};

void check_crop(const Measured& measured, FindingList& findings, QualityReport& report) {
  const StreamFacts* stream = measured.container.stream(measured.facts.video.stream);
  if (stream == nullptr || stream->width <= 0 || stream->height <= 0) return;
  int width = stream->width, height = stream->height;
  const bool is_turned = static_cast<int>(measured.facts.video.height) == width && width != height;
  if (is_turned) std::swap(width, height);
  Bars bars{width, width, height, height};
  std::size_t lit = 0;
  // The widest picture of all: a frame of it cuts nothing off anywhere.
  for (const CropSample& sample : measured.film.picture().crops) {
    if (sample.x2 <= sample.x1 || sample.y2 <= sample.y1 || sample.x2 >= width || sample.y2 >= height) continue;
    ++lit;
    bars = {std::min(bars.left, sample.x1), std::min(bars.right, width - 1 - sample.x2), std::min(bars.top, sample.y1),
            std::min(bars.bottom, height - 1 - sample.y2)};
  }
  const RuleSetting& rule = findings.rules()[Rule::crop];
  const double percent =
      100 * std::max(double(bars.left + bars.right) / width, double(bars.top + bars.bottom) / height);
  if (lit < kLitPicturesMin || percent < rule.limit) return;
  const auto even = [](int pixels) { return static_cast<std::uint32_t>(std::max(pixels, 0) / 2 * 2); };
  const std::uint32_t x = even(bars.left), y = even(bars.top);
  const CropFrame crop{(static_cast<std::uint32_t>(width - bars.right) - x + 1) / 2 * 2,
                       (static_cast<std::uint32_t>(height - bars.bottom) - y + 1) / 2 * 2, x, y};
  report.crop = crop;
  findings.add(Rule::crop, measured.facts.video.stream, {0, measured.duration_s()}, {percent, rule.limit, 0},
               fmt::format("The picture has black bars: {} pixels left, {} right, {} above, {} below. A frame of {}x{} "
                           "at {},{} holds all of the picture.",
                           bars.left, bars.right, bars.top, bars.bottom, crop.width, crop.height, crop.x, crop.y));
}

}  // namespace

std::vector<Span> subtracted(const std::vector<Span>& spans, const std::vector<Span>& without) {
  std::vector<Span> left;
  for (Span span : spans) {
    for (const Span& hole : without) {
      if (hole.to_s <= span.from_s || hole.from_s >= span.to_s) continue;
      if (hole.from_s > span.from_s) left.push_back({span.from_s, hole.from_s});
      span.from_s = std::max(span.from_s, hole.to_s);
      if (span.from_s >= span.to_s) break;
    }
    if (span.to_s > span.from_s) left.push_back(span);
  }
  return left;
}

void check_picture(const Measured& measured, FindingList& findings, QualityReport& report) {
  check_decoding(measured, findings);
  check_black_and_stills(measured, findings);
  check_fields(measured, findings, report);
  check_crop(measured, findings, report);
}

}  // namespace reelway::origin
