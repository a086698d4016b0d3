#include "cli/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

namespace reelway::cli {
namespace {

using namespace std::chrono_literals;

class ManualClock final : public Clock {
 public:
  Monotonic monotonic() const override { return now_; }
  Wall wall() const override { return Wall{}; }
  void advance(std::chrono::milliseconds by) { now_ += by; }

 private:
  Monotonic now_{1h};
};

// What is written to a stream, for the stream's lifetime.
class Capture {
 public:
  Capture() : stream_(open_memstream(&text_, &size_)) {}
  ~Capture() {
    std::fclose(stream_);
    std::free(text_);
  }
  std::FILE* stream() { return stream_; }
  std::string text() {
    std::fflush(stream_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_;
};

Terminal wide(std::size_t width, bool utf8 = false) {
  return {true, utf8, false, width};
}

TEST(ProgressLine, FillsTheWidth) {
  const StageView view{"upload", 0.5, "12.3 MB/s", 7s};
  EXPECT_EQ(render_progress(view, wide(60)), "upload     ##########-----------  50 %  12.3 MB/s  ETA 0:07");
  EXPECT_EQ(display_width(render_progress(view, wide(60))), 60u - 1);
}

TEST(ProgressLine, BarGoesFirstThenParts) {
  const StageView view{"transcode", 0.25, "12.3 MB/s", 65s};
  EXPECT_EQ(render_progress(view, wide(42)), "transcode   25 %  12.3 MB/s  ETA 1:05");
  EXPECT_EQ(render_progress(view, wide(30)), "transcode   25 %  12.3 MB/s");
  EXPECT_EQ(render_progress(view, wide(20)), "transcode   25 %");
}

TEST(ProgressLine, NeverWiderThanTheTerminal) {
  for (std::size_t width = 17; width < 200; ++width) {
    for (const double fraction : {0.0, 0.001, 0.33, 0.999, 1.0}) {
      const StageView view{"upload", fraction, "12.3 MB/s", 3600s};
      EXPECT_LT(display_width(render_progress(view, wide(width, true))), width);
    }
  }
}

TEST(ProgressLine, UsesBlocksWhereTheyCanBeShown) {
  const StageView view{"index", 1.0, "", std::nullopt};
  EXPECT_NE(render_progress(view, wide(80, true)).find("████"), std::string::npos);
  EXPECT_EQ(render_progress(view, wide(80, true)).find("░"), std::string::npos);
}

TEST(ProgressLine, HundredPerCentOnlyWhenDone) {
  EXPECT_NE(plain_progress({"upload", 0.9999, "", std::nullopt}).find(" 99 %"), std::string::npos);
  EXPECT_NE(plain_progress({"upload", 1.0, "", std::nullopt}).find("100 %"), std::string::npos);
  EXPECT_NE(plain_progress({"upload", -3.0, "", std::nullopt}).find("  0 %"), std::string::npos);
  EXPECT_NE(plain_progress({"upload", std::nan(""), "", std::nullopt}).find("  0 %"), std::string::npos);
}

TEST(ProgressEstimate, FollowsThePace) {
  EXPECT_EQ(estimate_left(10s, 0.25), 30s);
  EXPECT_EQ(estimate_left(999ms, 0.5), std::nullopt);
  EXPECT_EQ(estimate_left(10s, 0.01), std::nullopt);
  EXPECT_EQ(estimate_left(10s, 1.0), std::nullopt);
  EXPECT_EQ(estimate_left(10s, std::nan("")), std::nullopt);
}

TEST(ProgressDisplay, PlainLinesEveryTenPerCent) {
  ManualClock clock;
  Capture capture;
  ProgressDisplay display{capture.stream(), Terminal{}, clock};
  display.begin("upload");
  for (int percent = 1; percent <= 100; ++percent) {
    clock.advance(100ms);
    display.update(percent / 100.0);
  }
  display.end("1.0 MB/s");
  const std::string text = capture.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11);
  EXPECT_TRUE(text.starts_with("upload       0 %\nupload      10 %  ETA 0:09\n")) << text;
  EXPECT_TRUE(text.ends_with("upload     100 %  10.0 s  1.0 MB/s\n")) << text;
}

TEST(ProgressDisplay, PlainLineForEachLabel) {
  ManualClock clock;
  Capture capture;
  ProgressDisplay display{capture.stream(), Terminal{}, clock};
  display.begin("queued");
  display.relabel("probe");
  display.relabel("probe");
  display.update(0.05);
  display.relabel("transcode");
  display.update(0.5);
  display.relabel("published");
  display.end();
  EXPECT_EQ(capture.text(),
            "queued       0 %\nprobe        0 %\ntranscode    5 %\ntranscode   50 %\npublished   50 %\npublished  100 "
            "%  0.0 s\n");
}

TEST(ProgressDisplay, RedrawsOneLineOnATerminal) {
  ManualClock clock;
  Capture capture;
  ProgressDisplay display{capture.stream(), wide(40), clock};
  display.begin("upload");
  for (int i = 0; i < 100; ++i) {
    clock.advance(10ms);
    display.update(i / 100.0);
  }
  display.end();
  const std::string text = capture.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const auto redraws = std::count(text.begin(), text.end(), '\r');
  EXPECT_GT(redraws, 5);
  EXPECT_LT(redraws, 20);
}

TEST(ProgressDisplay, AbandonEndsTheLine) {
  ManualClock clock;
  Capture capture;
  ProgressDisplay display{capture.stream(), wide(40), clock};
  display.begin("upload");
  display.abandon();
  display.abandon();
  display.update(0.5);
  display.end();
  const std::string text = capture.text();
  EXPECT_TRUE(text.ends_with("\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

}  // namespace
}  // namespace reelway::cli
