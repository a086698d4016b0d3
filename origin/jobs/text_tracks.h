#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/text/text_sheet.h"

// What becomes of the subtitles that were delivered with a film.

namespace reelway::origin {

// A delivered file of subtitles, read. Blocking. subtitle_malformed with the manifest's line; io_failed.
struct DeliveredText {
  text::TextSheet cues;                 // in WebVTT's form
  std::optional<text::TextSheet> ttml;  // where the file was TTML
};
Result<DeliveredText> read_delivered_text(const VersionRecord& version, const Catalog& catalog,
                                          const DeliveredFile& file);
// The file's own text. Longer ones than can be read are cut off after that.
Result<std::string> delivered_text(const VersionRecord& version, const Catalog& catalog, const DeliveredFile& file);

// Whoever chooses the full subtitles of a language gets no forced ones (Apple's rule 5.8 has them in both): adds to
// `full` every forced subtitle during which it shows nothing. subtitle_malformed when that is too much.
Result<void> add_forced(text::TextSheet& full, const text::TextSheet& forced);

// A track for each of them, in the order of the manifest, written into the folder and made durable but for the folder
// itself. The same files give the same tracks. Blocking. Errors as above, disk_full.
Result<std::vector<TextTrackRecord>> make_text_tracks(const VersionRecord& version, const Catalog& catalog,
                                                      const std::string& folder);

}  // namespace reelway::origin
