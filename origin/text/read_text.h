#pragma once

#include <string_view>

#include "common/base/result.h"
#include "origin/text/text_sheet.h"

// Vendors' subtitle files as sheets in WebVTT's form. Pure; any input is safe. subtitle_malformed: not UTF-8, over a
// limit, a line of times that cannot be read (with its number), or nothing to show in it. Subtitles that stand for no
// time, or show nothing, are left out.

namespace reelway::origin::text {

enum class FileFormat : std::uint8_t { srt, webvtt, ttml };
// By how it begins.
FileFormat format_of(std::string_view file);

// Of any of these formats.
Result<TextSheet> read_text(std::string_view file);

// WebVTT (W3C). Identifiers, settings, STYLE and REGION blocks are kept; NOTE blocks, and settings that WebVTT does not
// have, are not. What the times of an HLS segment are relative to (X-TIMESTAMP-MAP) is not heeded.
Result<TextSheet> read_webvtt(std::string_view file);

// SRT as it is found: italics, bold, underlines and the colours that WebVTT names are kept, also as <font>; of the
// codes in braces the place on the screen ({\an8}). Other tags are taken away, and what only looks like one is shown.
Result<TextSheet> read_srt(std::string_view file);

// TTML (W3C) of IMSC 1.1's text profile. Of the styles what WebVTT's own tags and settings can say is kept.
Result<TextSheet> read_ttml(std::string_view file);
// The same, and besides in TTML's own form, which loses nothing.
struct TtmlSheets {
  TextSheet webvtt, ttml;
};
Result<TtmlSheets> read_ttml_sheets(std::string_view file);

}  // namespace reelway::origin::text
