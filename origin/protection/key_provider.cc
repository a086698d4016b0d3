#include "origin/protection/key_provider.h"

namespace reelway::origin {

KeyLabel key_label(const mp4::TrackIndex& track) {
  if (track.kind == mp4::TrackKind::audio) return KeyLabel::audio;
  if (track.height <= kSdLinesMax) return KeyLabel::sd;
  return track.height <= kHdLinesMax ? KeyLabel::hd : KeyLabel::uhd;
}

}  // namespace reelway::origin
