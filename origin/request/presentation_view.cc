#include "origin/request/presentation_view.h"

namespace reelway::origin {
namespace {

using mp4::TrackKind;

struct TrackCounts {
  std::size_t video = 0;
  std::size_t audio = 0;
};

TrackCounts count(const hls::Presentation& presentation) {
  TrackCounts counts;
  for (const hls::Track& track : presentation.tracks) {
    ++(track.index->kind == TrackKind::video ? counts.video : counts.audio);
  }
  return counts;
}

Error not_in_offer(ErrorCode code, std::string detail) {
  return {code, Side::client, false, std::move(detail)};
}

}  // namespace

Result<hls::Presentation> presentation_in_view(const hls::Presentation& presentation, const access::View& view) {
  hls::Presentation narrowed;
  narrowed.units_per_segment = presentation.units_per_segment;
  access::View of_tracks = view;
  of_tracks.preview = 0;  // which version and which part of it has been seen to
  of_tracks.clip = {};
  const auto is_in_view = [&](const std::string& track_id) {
    return access::check_path_in_view(of_tracks, "/title/v1/" + track_id + "/media.m3u8").ok();
  };
  for (const hls::Track& track : presentation.tracks) {
    if (is_in_view(track.id)) narrowed.tracks.push_back(track);
  }
  for (const hls::TextTrack& track : presentation.texts) {
    if (is_in_view(track.id)) narrowed.texts.push_back(track);
  }
  narrowed.images = presentation.images;  // the same for all
  const TrackCounts before = count(presentation);
  const TrackCounts after = count(narrowed);
  if (before.video > 0 && after.video == 0) {
    return not_in_offer(ErrorCode::rendition_not_in_offer,
                        "no rendition has at most " + std::to_string(view.max_height) + " lines");
  }
  // Of a silent film nothing is withheld.
  if (before.audio > 0 && after.audio == 0) {
    return not_in_offer(ErrorCode::language_not_in_offer, "the title has no sound in " + access::view_id(view));
  }
  return narrowed;
}

}  // namespace reelway::origin
