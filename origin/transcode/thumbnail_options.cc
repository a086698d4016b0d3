#include "origin/transcode/thumbnail_options.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "origin/catalog/side_tracks.h"

namespace reelway::origin {
namespace {

using config::Kind;

constexpr std::uint32_t kWidthMin = 80, kWidthMax = 640;

constexpr std::array kOptions = {
    config::Option{"thumbnails.widths", Kind::text_list, "[320]", false, 0, 0,
                   "The widths of the small pictures that players show while somebody seeks, in pixels: at most four, "
                   "each from 80 to 640. Roku asks for 240 (SD) and 320 (HD). Wider than the film's widest rendition "
                   "none is made. With an empty list films get none. Holds for films that are ingested from then on."},
    config::Option{"thumbnails.interval", Kind::duration, "10s", false, 4'000, 60'000,
                   "The time from one small picture to the next. Each is of the nearest key frame, so it may be off by "
                   "a second."},
};

Error invalid(const std::string& found) {
  return {ErrorCode::config_value_invalid, Side::self, false,
          "thumbnails.widths: expected at most four numbers from 80 to 640, found: " + found};
}

}  // namespace

std::span<const config::Option> thumbnail_options() {
  return kOptions;
}

Result<ThumbnailOptions> thumbnail_options(const config::Settings& settings) {
  ThumbnailOptions options;
  options.interval = std::chrono::duration_cast<std::chrono::milliseconds>(settings.duration("thumbnails.interval"));
  options.widths.clear();
  for (const std::string& text : settings.list("thumbnails.widths")) {
    std::uint32_t width = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), width);
    const bool is_number = failure == std::errc() && end == text.data() + text.size();
    if (!is_number || width < kWidthMin || width > kWidthMax) return invalid(text);
    options.widths.push_back(width);
  }
  std::sort(options.widths.begin(), options.widths.end());
  options.widths.erase(std::unique(options.widths.begin(), options.widths.end()), options.widths.end());
  if (options.widths.size() > kImageTracksMax) return invalid(std::to_string(options.widths.size()) + " of them");
  return options;
}

}  // namespace reelway::origin
