#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace reelway::origin::text {
class TextSheet;
}

namespace reelway::origin::hls {

// Subtitles that viewers may choose. Its cues are those of the whole film, and are cut where the picture is.
struct TextTrack {
  std::string id;                               // "subtitles/en", "subtitles/en-2" for a further one of that language
  std::string name;                             // for people: "English (SDH)"
  std::string language;                         // BCP 47
  bool forced = false;                          // only what has to be read whatever is heard: signs, other languages
  bool for_deaf = false;                        // sounds, too (SDH)
  std::shared_ptr<const text::TextSheet> cues;  // in WebVTT's form
  // The same as the vendor's TTML had it; null for other formats.
  std::shared_ptr<const text::TextSheet> ttml = nullptr;
};

}  // namespace reelway::origin::hls
