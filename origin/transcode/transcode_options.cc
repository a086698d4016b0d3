#include "origin/transcode/transcode_options.h"

#include <array>

namespace reelway::origin {
namespace {

using config::Kind;

constexpr std::int64_t kMiB = 1024 * 1024;
constexpr std::int64_t kGiB = 1024 * kMiB;

constexpr std::array kOptions = {
    config::Option{
        "transcode.ffmpeg", Kind::path, "/usr/bin/ffmpeg", false, 0, 0,
        "The ffmpeg program. The origin and all its workers should have the same release: parts made by different "
        "ones may not fit together, and then the job fails."},
    config::Option{"transcode.ffprobe", Kind::path, "/usr/bin/ffprobe", false, 0, 0, "The ffprobe program."},
    config::Option{
        "transcode.sandbox", Kind::text, "required", false, 0, 0,
        "required or off. Media tools read files that anybody may have made, so they run confined; with off they "
        "run with the rights of this program."},
    config::Option{"transcode.memory_bytes", Kind::bytes, "2GiB", false, 256 * kMiB, 1024 * kGiB,
                   "The most memory that one media tool may use. A part whose tool needs more fails."},
};

}  // namespace

std::span<const config::Option> transcode_options() {
  return kOptions;
}

Result<TranscodeOptions> transcode_options(const config::Settings& settings) {
  TranscodeOptions options;
  options.ffmpeg = settings.text("transcode.ffmpeg");
  options.ffprobe = settings.text("transcode.ffprobe");
  options.sandbox.memory_bytes = settings.bytes("transcode.memory_bytes");
  const std::string& sandbox = settings.text("transcode.sandbox");
  options.sandbox.required = sandbox == "required";
  if (sandbox == "required" || sandbox == "off") return options;
  return Error{ErrorCode::config_value_invalid, Side::self, false,
               "transcode.sandbox: expected required or off, found: " + sandbox};
}

}  // namespace reelway::origin
