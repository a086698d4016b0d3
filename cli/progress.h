#pragma once

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "cli/terminal.h"
#include "common/base/clock.h"

namespace reelway::cli {

// One stage of a long command at one moment.
struct StageView {
  std::string label;
  double fraction = 0;  // 0 to 1
  std::string detail;   // "12.3 MB/s", may be empty
  std::optional<std::chrono::seconds> left;
};

// The line for a terminal, without line end: label, bar, percentage, detail, time left. Never wider than the terminal;
// on a narrow one the bar goes first, then the detail.
std::string render_progress(const StageView& view, const Terminal& terminal);
// The same without a bar, for a log file.
std::string plain_progress(const StageView& view);

// Time left, judged by the pace since the stage began. Says nothing in the first second or the first two per cent.
std::optional<std::chrono::seconds> estimate_left(std::chrono::milliseconds elapsed, double fraction);

// Shows stages one after another on a stream: on a terminal each is one line, redrawn in place; otherwise a plain line
// is written at the stage's start, at each further ten per cent, and at its end.
class ProgressDisplay {
 public:
  ProgressDisplay(std::FILE* stream, Terminal terminal, const Clock& clock)
      : stream_(stream), terminal_(terminal), clock_(clock) {}

  // `from`: what was done before, of which the pace says nothing.
  void begin(std::string label, double from = 0);
  // `left`: where somebody else knows better than the pace how long it takes.
  void update(double fraction, std::string detail = {}, std::optional<std::chrono::seconds> left = {});
  // The stage enters its next step: the line goes on under another label, with the same clock and fraction.
  void relabel(std::string label);
  void end(const std::string& detail = {});  // the stage is done
  void abandon();                            // the stage failed: what is drawn stays, the next text begins a new line

 private:
  void redraw(const StageView& view);

  std::FILE* stream_;
  Terminal terminal_;
  const Clock& clock_;
  std::string label_;
  Clock::Monotonic began_{};
  Clock::Monotonic drawn_{};
  double fraction_ = 0;
  double from_ = 0;
  int tenth_ = -1;  // the last tenth that a plain line was written for
  bool open_ = false;
};

}  // namespace reelway::cli
