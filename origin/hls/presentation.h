#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "origin/hls/image_track.h"
#include "origin/hls/packaging.h"
#include "origin/hls/text_track.h"
#include "origin/mp4/track_index.h"

// HLS from track indexes (RFC 8216bis, Apple's authoring rules). Pure and deterministic to the byte.
//
// Paths below /<title>/<version>/ :
//   master.m3u8   manifest.mpd
//   <track id>/media.m3u8   <track id>/init.mp4   <track id>/<n>.m4s   (n from 0)
//   <track id>/iframes.m3u8   <track id>/iframes-<n>.mp4   (video; iframes.h)
//   <track id>/key   <track id>/clearkey.json   (of protected packagings only)
// and for every other packaging the same below its folder (packaging.h): ts/master.m3u8, ts/<track id>/<n>.ts, where a
// track id is "video/<height>" ("video/<height>-<k>" for a further rendition of that height) or
// "audio/<language>-<codec>" ("audio/en-aac"). Subtitles, in every packaging (text_segments.h):
//   subtitles/<language>/media.m3u8   subtitles/<language>/<n>.vtt
// and as IMSC 1.1 in CMAF, where the vendor's file was TTML (imsc_segments.h):
//   subtitles/<language>/imsc.m3u8   subtitles/<language>/init.mp4   subtitles/<language>/<n>.m4s
// and small pictures, the same for all of them (image_playlists.h):
//   images/<width>/media.m3u8   images/<width>/<n>.jpg   images/<width>/thumbnails.vtt   images/<width>/index.bif

namespace reelway::origin::hls {

struct Track {
  std::string id;
  std::string name;         // for people: "English"
  bool is_default = false;  // exactly one audio track
  std::shared_ptr<const mp4::TrackIndex> index;
};

struct Presentation {
  std::vector<Track> tracks;  // video from highest to lowest, then audio
  std::uint32_t units_per_segment = 3;
  std::vector<TextTrack> texts = {};
  std::vector<ImageTrack> images = {};  // from narrow to wide
};

std::uint32_t segment_count(const mp4::TrackIndex& index, std::uint32_t units_per_segment);
// The multivariant playlist is in multivariant_playlist.h. `key_lines` are whole EXT-X-KEY lines of a protected
// packaging.
std::string media_playlist(const Presentation& presentation, const Track& track, Packaging packaging = Packaging::cmaf,
                           std::string_view key_lines = {});
// `sample_entry` stands in for the track's, and `protection_boxes` (pssh) follow in moov; both empty for clear media.
Bytes init_segment(const Track& track, ByteView sample_entry = {}, ByteView protection_boxes = {});

// One media segment: a computed header (styp, moof, mdat header), then one range of the track file.
struct SegmentPlan {
  Bytes header;
  std::uint64_t file_offset = 0;
  std::uint64_t file_bytes = 0;
  std::uint32_t first_unit = 0, unit_count = 0;  // whose sums a reader of the range must check
  std::uint32_t crc32c = 0;                      // of header and range together, combined without reading a byte
};
Result<SegmentPlan> plan_segment(const mp4::TrackIndex& index, std::uint32_t units_per_segment, std::uint32_t segment);

// What an object path asks for, from the part after "/<title>/<version>/".
struct Resource {
  enum class Kind : std::uint8_t {
    multivariant,
    media_playlist,
    init,
    segment,
    text_playlist,
    text_segment,
    imsc_playlist,
    imsc_init,
    imsc_segment,
    image_playlist,
    image_cues,   // thumbnails.vtt
    image_sheet,  // <n>.jpg
    image_bif,
    dash_manifest,
    iframe_playlist,
    iframe_file,  // `segment` is its number
    key,          // the track's content key, 16 bytes
    clearkey      // the same as a licence for ClearKey
  };
  Packaging packaging = Packaging::cmaf;
  Kind kind = Kind::multivariant;
  std::string_view track_id;
  std::uint32_t segment = 0;

  // Whether it is of the whole version, and of no track.
  bool is_of_version() const { return kind == Kind::multivariant || kind == Kind::dash_manifest; }
};
Result<Resource> parse_resource(std::string_view path);  // http_not_found

std::string_view content_type(const Resource& resource, mp4::TrackKind track);

}  // namespace reelway::origin::hls
