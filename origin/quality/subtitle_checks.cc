#include "origin/quality/subtitle_checks.h"

#include <algorithm>
#include <cmath>

#include <spdlog/fmt/fmt.h>

#include "origin/quality/subtitle_text.h"

namespace reelway::origin {
namespace {

constexpr double kRounding_s = 0.0005;

struct Subject {
  const SubtitleContext& context;
  FindingList& findings;

  void add(Rule rule, const Cue& cue, FindingList::Measure measure, const std::string& what) const {
    findings.add(rule, context.stream, {cue.from_s, cue.to_s}, measure,
                 fmt::format("{}, at {}: {}", context.name, time_code(cue.from_s), what));
  }
  const RuleSetting& rule(Rule of) const { return findings.rules()[of]; }
};

// "…" stands for what is left out of a long one.
std::string quoted(const Cue& cue) {
  constexpr std::size_t kBytesMax = 60;
  std::string text;
  for (const std::string& line : cue.lines) text.append(text.empty() ? "" : " / ").append(seen_text(line));
  if (text.size() <= kBytesMax) return "\"" + text + "\"";
  std::size_t end = kBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return "\"" + text.substr(0, end) + "…\"";
}

void check_text(const Subject& subject, const Cue& cue) {
  double characters = 0;
  for (const std::string& line : cue.lines) {
    const double length = seen_length(line);
    characters += length;
    const double limit = subject.rule(Rule::subtitle_line_length).limit;
    if (length > limit) {
      subject.add(Rule::subtitle_line_length, cue, {length, limit, 0},
                  fmt::format("a line has {:.0f} characters, at most {:.0f} fit: {}", length, limit, quoted(cue)));
    }
  }
  const auto lines = static_cast<double>(cue.lines.size());
  const double lines_max = subject.rule(Rule::subtitle_lines).limit;
  if (lines > lines_max) {
    subject.add(Rule::subtitle_lines, cue, {lines, lines_max, 0},
                fmt::format("{:.0f} lines, at most {:.0f}: {}", lines, lines_max, quoted(cue)));
  }
  const double length_s = cue.to_s - cue.from_s, speed_max = subject.rule(Rule::subtitle_speed).limit;
  if (length_s > 0 && characters / length_s > speed_max) {
    subject.add(Rule::subtitle_speed, cue, {characters / length_s, speed_max, 0},
                fmt::format("{:.0f} characters a second have to be read, at most {:.0f}: {}", characters / length_s,
                            speed_max, quoted(cue)));
  }
  if (has_broken_markup(cue)) {
    subject.add(Rule::subtitle_markup, cue, {0, 0, 0},
                "tags are not closed, or asterisks stand for italics: " + quoted(cue));
  }
}

void check_length(const Subject& subject, const Cue& cue) {
  const RuleSetting& rule = subject.rule(Rule::subtitle_duration);
  const double length_s = cue.to_s - cue.from_s;
  if (length_s > rule.limit + kRounding_s || length_s < rule.low - kRounding_s) {
    subject.add(Rule::subtitle_duration, cue, {length_s, length_s < rule.low ? rule.low : rule.limit, 0},
                fmt::format("it stands for {:.2f} s, where {:.2f} to {:.2f} s are expected: {}", length_s, rule.low,
                            rule.limit, quoted(cue)));
  }
  const RuleSetting& end = subject.rule(Rule::subtitle_end);
  if (subject.context.film_s > 0 && cue.to_s > subject.context.film_s + end.seconds + kRounding_s) {
    subject.add(Rule::subtitle_end, cue, {cue.to_s - subject.context.film_s, end.seconds, 0},
                fmt::format("it ends at {}, after the film, which ends at {}", time_code(cue.to_s),
                            time_code(subject.context.film_s)));
  }
}

void check_neighbours(const Subject& subject, const Cue& cue, const Cue& next) {
  const double gap_s = next.from_s - cue.to_s;
  const RuleSetting& overlap = subject.rule(Rule::subtitle_overlap);
  if (gap_s < -overlap.seconds - kRounding_s) {
    subject.add(Rule::subtitle_overlap, next, {-gap_s, overlap.seconds, 0},
                fmt::format("it begins {:.2f} s before the one before it ends: {}", -gap_s, quoted(next)));
  }
  const RuleSetting& gap = subject.rule(Rule::subtitle_gap);
  if (gap_s > kRounding_s && gap_s < gap.seconds - kRounding_s) {
    subject.add(Rule::subtitle_gap, next, {gap_s, gap.seconds, 0},
                fmt::format("only {:.0f} ms after the one before it: {}", gap_s * 1000, quoted(next)));
  }
}

// A cut within the cue, near to one of its ends and not at it.
void check_cuts(const Subject& subject, const Cue& cue) {
  constexpr double kAtCut_s = 0.05;
  const RuleSetting& rule = subject.rule(Rule::subtitle_cut);
  const std::vector<double>& cuts = subject.context.cuts;
  for (auto cut = std::lower_bound(cuts.begin(), cuts.end(), cue.from_s); cut != cuts.end() && *cut < cue.to_s; ++cut) {
    const double hang_s = std::min(*cut - cue.from_s, cue.to_s - *cut);
    if (hang_s <= kAtCut_s || hang_s >= rule.seconds) continue;
    return subject.add(Rule::subtitle_cut, cue, {hang_s, rule.seconds, 0},
                       fmt::format("it hangs {:.2f} s over the cut at {}: {}", hang_s, time_code(*cut), quoted(cue)));
  }
}

}  // namespace

void check_subtitles(std::string_view text, const SubtitleContext& context, FindingList& findings) {
  Result<Subtitles> subtitles = parse_subtitles(text);
  if (!subtitles.ok()) {
    findings.add(Rule::subtitle_unreadable, context.stream, {0, context.film_s}, {0, 0, 0},
                 fmt::format("{}: {}.", context.name, subtitles.error().detail));
    return;
  }
  const Subject subject{context, findings};
  std::vector<Cue>& cues = subtitles->cues;
  std::stable_sort(cues.begin(), cues.end(), [](const Cue& a, const Cue& b) { return a.from_s < b.from_s; });
  for (std::size_t i = 0; i < cues.size(); ++i) {
    check_text(subject, cues[i]);
    check_length(subject, cues[i]);
    check_cuts(subject, cues[i]);
    if (i + 1 < cues.size()) check_neighbours(subject, cues[i], cues[i + 1]);
  }
}

}  // namespace reelway::origin
