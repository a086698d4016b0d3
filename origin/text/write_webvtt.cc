#include "origin/text/write_webvtt.h"

#include <cstdio>

#include "common/base/check.h"

namespace reelway::origin::text {
namespace {

constexpr std::uint64_t kMicro = 1000;  // microseconds of a millisecond

std::string time_text(std::uint32_t ms) {
  char text[24];
  std::snprintf(text, sizeof text, "%02u:%02u:%02u.%03u", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
  return text;
}

void write_head(const TextSheet& sheet, std::string& out) {
  if (!sheet.head().empty()) out.append("\n").append(sheet.head());
}

void write_cue(const Cue& cue, std::string& out) {
  out += "\n";
  if (!cue.id.empty()) out.append(cue.id).append("\n");
  out.append(time_text(cue.from_ms)).append(" --> ").append(time_text(cue.to_ms));
  if (!cue.settings.empty()) out.append(" ").append(cue.settings);
  out.append("\n").append(cue.payload).append("\n");
}

}  // namespace

std::string write_webvtt(const TextSheet& sheet, const WebvttPart& part) {
  CHECK(sheet.form() == Form::webvtt);
  std::string out = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:" + std::to_string(part.clock) + ",LOCAL:00:00:00.000\n";
  write_head(sheet, out);
  for (std::size_t i = 0; i < sheet.size(); ++i) {
    const Cue cue = sheet.cue(i);
    if (cue.from_ms * kMicro >= part.to_us) break;  // they lie in the order of their beginnings
    if (cue.to_ms * kMicro > part.from_us) write_cue(cue, out);
  }
  // FFmpeg reads segments as one text: without an empty line the next one's header would be this one's last subtitle.
  return out + "\n";
}

std::size_t cue_bytes(const Cue& cue) {
  constexpr std::string_view kTimes = "\n00:00:00.000 --> 00:00:00.000\n\n";
  return kTimes.size() + cue.id.size() + (cue.id.empty() ? 0 : 1) + cue.settings.size() +
         (cue.settings.empty() ? 0 : 1) + cue.payload.size();
}

std::string write_webvtt(const TextSheet& sheet) {
  CHECK(sheet.form() == Form::webvtt);
  std::string out = "WEBVTT\n";
  write_head(sheet, out);
  for (std::size_t i = 0; i < sheet.size(); ++i) write_cue(sheet.cue(i), out);
  return out;
}

}  // namespace reelway::origin::text
