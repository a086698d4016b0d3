#include "cli/progress.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "cli/quantity.h"

namespace reelway::cli {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLabelWidth = 10;
constexpr std::size_t kBarWidthMin = 8;
constexpr std::size_t kBarWidthMax = 40;
constexpr milliseconds kRedrawInterval{80};

double clamped(double fraction) {
  return std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0;
}

// Rounded down: 100 % is shown only when all is done.
int percent(double fraction) {
  return static_cast<int>(clamped(fraction) * 100.0 + 1e-9);
}

std::string bar(double fraction, std::size_t width, bool utf8) {
  const auto full = static_cast<std::size_t>(clamped(fraction) * static_cast<double>(width) + 1e-9);
  std::string text;
  for (std::size_t i = 0; i < width; ++i) {
    if (utf8)
      text.append(i < full ? "█" : "░");
    else
      text.append(i < full ? "#" : "-");
  }
  return text;
}

std::string time_left(const StageView& view) {
  return view.left ? "ETA " + format_countdown(*view.left) : std::string{};
}

void append_part(std::string& line, const std::string& part) {
  if (!part.empty()) line.append("  ").append(part);
}

}  // namespace

std::string render_progress(const StageView& view, const Terminal& terminal) {
  std::string head = fmt::format("{:<{}}", view.label, kLabelWidth);
  std::string tail = fmt::format("{:>3} %", percent(view.fraction));
  const std::string left = time_left(view);
  const std::size_t fixed = display_width(head) + 1 + display_width(tail);
  const auto extra = [](const std::string& part) { return part.empty() ? 0 : display_width(part) + 2; };
  // The last column stays free: writing there makes some terminals wrap.
  const std::size_t room = terminal.width > fixed + 1 ? terminal.width - fixed - 1 : 0;
  std::size_t used = 0;
  for (const std::string& part : {view.detail, left}) {
    if (used + extra(part) > room) continue;
    append_part(tail, part);
    used += extra(part);
  }
  const std::size_t for_bar = room - used;
  if (for_bar < kBarWidthMin + 1) return head + " " + tail;
  const std::size_t width = std::min(for_bar - 1, kBarWidthMax);
  return head + " " + styled(terminal, Style::accent, bar(view.fraction, width, terminal.utf8)) + " " + tail;
}

std::string plain_progress(const StageView& view) {
  std::string line = fmt::format("{:<{}} {:>3} %", view.label, kLabelWidth, percent(view.fraction));
  append_part(line, view.detail);
  append_part(line, time_left(view));
  return line;
}

std::optional<std::chrono::seconds> estimate_left(milliseconds elapsed, double fraction) {
  if (elapsed < milliseconds{1000} || !(fraction >= 0.02) || fraction >= 1.0) return std::nullopt;
  const double seconds = static_cast<double>(elapsed.count()) / 1000.0 * (1.0 - fraction) / fraction;
  if (seconds > 1e6) return std::nullopt;
  return std::chrono::seconds{static_cast<std::int64_t>(std::ceil(seconds))};
}

void ProgressDisplay::begin(std::string label, double from) {
  label_ = std::move(label);
  from_ = std::min(from, 1.0);
  began_ = clock_.monotonic();
  drawn_ = {};
  tenth_ = -1;
  open_ = true;
  update(from_);
}

void ProgressDisplay::update(double fraction, std::string detail, std::optional<std::chrono::seconds> left) {
  if (!open_) return;
  fraction_ = fraction;
  const auto now = clock_.monotonic();
  const auto elapsed = std::chrono::duration_cast<milliseconds>(now - began_);
  const double of_this_run = from_ < 1 ? (fraction - from_) / (1 - from_) : 1;
  const StageView view{label_, fraction, std::move(detail), left ? left : estimate_left(elapsed, of_this_run)};
  if (terminal_.interactive) {
    if (now - drawn_ < kRedrawInterval) return;
    drawn_ = now;
    redraw(view);
    return;
  }
  const int tenth = percent(fraction) / 10;
  if (tenth <= tenth_ || tenth == 10) return;  // end() writes the last line
  tenth_ = tenth;
  std::fprintf(stream_, "%s\n", plain_progress(view).c_str());
  std::fflush(stream_);
}

void ProgressDisplay::relabel(std::string label) {
  if (!open_ || label == label_) return;
  label_ = std::move(label);
  tenth_ = -1;
  drawn_ = {};
  update(fraction_);
}

void ProgressDisplay::end(const std::string& detail) {
  if (!open_) return;
  open_ = false;
  const auto elapsed = std::chrono::duration_cast<milliseconds>(clock_.monotonic() - began_);
  const std::string took = fmt::format("{:.1f} s", static_cast<double>(elapsed.count()) / 1000.0);
  const StageView view{label_, 1.0, detail.empty() ? took : took + "  " + detail, std::nullopt};
  if (terminal_.interactive) redraw(view);
  std::fprintf(stream_, "%s\n", terminal_.interactive ? "" : plain_progress(view).c_str());
  std::fflush(stream_);
}

void ProgressDisplay::abandon() {
  if (open_ && terminal_.interactive) std::fputc('\n', stream_);
  open_ = false;
}

void ProgressDisplay::redraw(const StageView& view) {
  std::fprintf(stream_, "\r\033[K%s", render_progress(view, terminal_).c_str());
  std::fflush(stream_);
}

}  // namespace reelway::cli
