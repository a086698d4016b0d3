#include "origin/transcode/picture_options.h"

#include <array>

namespace reelway::origin {
namespace {

using config::Kind;

constexpr std::array kOptions = {
    config::Option{"transcode.per_title", Kind::flag, "true", false, 0, 0,
                   "Whether each film gets bit rates of its own, from short samples of it that are encoded before the "
                   "film is. With false every film gets those of the table, which fit a film that is hard to encode."},
    config::Option{"transcode.per_title_max_percent", Kind::integer, "100", false, 50, 300,
                   "The most that samples may give a rendition, in percent of the table's bit rate. Over 100 a film "
                   "that is harder than the table (grain, snow, water) gets more than the table."},
    config::Option{
        "transcode.crop", Kind::text, "found", false, 0, 0,
        "found or never. Found: black bars that the quality checks found are cut off, so that players fill their "
        "screens and no bits go into bars. Never: pictures are shown as they were delivered."},
};

}  // namespace

std::span<const config::Option> picture_options() {
  return kOptions;
}

Result<PictureOptions> picture_options(const config::Settings& settings) {
  PictureOptions options;
  options.per_title = settings.flag("transcode.per_title");
  options.rate_percent_max = static_cast<std::uint32_t>(settings.integer("transcode.per_title_max_percent"));
  const std::string& crop = settings.text("transcode.crop");
  options.crop = crop == "found";
  if (crop == "found" || crop == "never") return options;
  return Error{ErrorCode::config_value_invalid, Side::self, false,
               "transcode.crop: expected found or never, found: " + crop};
}

}  // namespace reelway::origin
