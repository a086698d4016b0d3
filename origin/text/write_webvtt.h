#pragma once

#include <cstdint>
#include <string>

#include "origin/text/text_sheet.h"

namespace reelway::origin::text {

// A part of a sheet in WebVTT's form as a file of its own: every cue that shows in [from_us, to_us), with its own
// times, settings and identifier, so that one which reaches over a boundary stands in both parts the same; the head in
// each. `clock` is the media clock's 90 kHz reading at the film's beginning, which HLS wants told (RFC 8216bis section
// 3.1.4). With no cue it is a valid file, too.
struct WebvttPart {
  std::uint64_t from_us = 0, to_us = 0;
  std::uint64_t clock = 0;
};
std::string write_webvtt(const TextSheet& sheet, const WebvttPart& part);

// What a cue takes in such a file.
std::size_t cue_bytes(const Cue& cue);

// All of it, for readers that know no HLS.
std::string write_webvtt(const TextSheet& sheet);

}  // namespace reelway::origin::text
