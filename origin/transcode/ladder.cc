#include "origin/transcode/ladder.h"

#include <algorithm>
#include <array>
#include <cmath>

// Model. A rung is a box of 16:9 (or 9:16 for upright film) into which the picture is fitted, and its bit rate
// follows from its pixels, so a film that does not fill its box is not given bits that it cannot use. When the source
// is clearly larger than the highest box that it fills, or smaller than all, it gets a rung of its own size.

namespace reelway::origin {
namespace {

struct Box {
  double width;
  double height;
};
constexpr auto kBoxes = std::to_array<Box>({{1920, 1080}, {1280, 720}, {960, 540}, {640, 360}, {426, 240}});
constexpr double kTopBits = 4'800'000;  // average of the largest box

constexpr double kClearlyLarger = 1.15;    // of the next rung's height
constexpr double kSecondRung = 2.0 / 3.0;  // of a source that is smaller than two boxes
constexpr std::uint32_t kTwoRungsFrom = 200;
constexpr double kFastRate = 31;  // from here on pictures differ less, but there are more of them
constexpr double kFastFactor = 1.4;
constexpr double kBitsMin = 150'000;

std::uint32_t even(double length) {
  return std::max(2u, static_cast<std::uint32_t>(std::lround(length / 2)) * 2);
}

// Bits for a picture of that many pixels, between those of the boxes: rates grow slower than pixels.
double bits_for(double pixels) {
  const Box& top = kBoxes.front();
  return kTopBits * std::pow(pixels / (top.width * top.height), 0.8);
}

class Builder {
 public:
  Builder(double width, double height, double rate)
      : width_(width), height_(height), factor_(rate > kFastRate ? kFastFactor : 1) {}

  void add_scaled(double scale) {
    const std::uint32_t w = even(width_ * scale), h = even(height_ * scale);
    for (const Rung& rung : rungs_) {
      if (rung.height == h) return;
    }
    const double bits = std::max(kBitsMin, bits_for(static_cast<double>(w) * h) * factor_);
    const std::uint32_t rounded = static_cast<std::uint32_t>(std::lround(bits / 10'000)) * 10'000;
    rungs_.push_back({w, h, rounded, "video/" + std::to_string(h), rounded});
  }

  std::vector<Rung> take() {
    std::sort(rungs_.begin(), rungs_.end(), [](const Rung& a, const Rung& b) { return a.height > b.height; });
    return std::move(rungs_);
  }

  const std::vector<Rung>& rungs() const { return rungs_; }

 private:
  double width_, height_, factor_;
  std::vector<Rung> rungs_;
};

}  // namespace

std::vector<Rung> ladder(std::uint32_t width, std::uint32_t height, double frames_per_second) {
  const bool upright = height > width;
  // An odd line or column of the source is left out: 4:2:0 video has even sizes, and nothing is scaled up.
  const double w = width / 2 * 2, h = height / 2 * 2;
  Builder builder(w, h, frames_per_second);
  double highest = 0;
  for (const Box& box : kBoxes) {
    const double box_width = upright ? box.height : box.width, box_height = upright ? box.width : box.height;
    // A picture one or two lines short of its box fills it: 852x480, 1918x1080.
    const double scale = std::min(box_width / w, box_height / h);
    if (scale > 1.005) continue;
    highest = std::max(highest, std::min(scale, 1.0));
    builder.add_scaled(std::min(scale, 1.0));
  }
  const Box& top = kBoxes.front();
  const bool over_the_top = std::max(w, h) > top.width * 1.005 || std::min(w, h) > top.height * 1.005;
  if (highest == 0 || (!over_the_top && highest * kClearlyLarger < 1)) builder.add_scaled(1);
  if (builder.rungs().size() == 1 && std::min(width, height) >= kTwoRungsFrom) builder.add_scaled(kSecondRung);
  return builder.take();
}

}  // namespace reelway::origin
