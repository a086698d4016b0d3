#include <cstddef>
#include <cstdint>
#include <string>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "origin/hls/presentation.h"

// Any bytes as a path: an error, or a resource whose only path it is.

using namespace reelway;
using namespace reelway::origin;

namespace {

std::string path_of(const hls::Resource& resource) {
  const hls::PackagingTraits& packaging = hls::traits(resource.packaging);
  const std::string folder = packaging.folder.empty() ? "" : std::string(packaging.folder) + "/";
  const std::string track = folder + std::string(resource.track_id);
  const std::string suffix = packaging.container == hls::Container::ts ? ".ts" : ".m4s";
  const std::string number = std::to_string(resource.segment);
  switch (resource.kind) {
    case hls::Resource::Kind::multivariant: return folder + "master.m3u8";
    case hls::Resource::Kind::dash_manifest: return folder + "manifest.mpd";
    case hls::Resource::Kind::text_playlist:
    case hls::Resource::Kind::image_playlist:
    case hls::Resource::Kind::media_playlist: return track + "/media.m3u8";
    case hls::Resource::Kind::iframe_playlist: return track + "/iframes.m3u8";
    case hls::Resource::Kind::iframe_file: return track + "/iframes-" + number + ".mp4";
    case hls::Resource::Kind::init: return track + "/init.mp4";
    case hls::Resource::Kind::segment: return track + "/" + number + suffix;
    case hls::Resource::Kind::text_segment: return track + "/" + number + ".vtt";
    case hls::Resource::Kind::imsc_playlist: return track + "/imsc.m3u8";
    case hls::Resource::Kind::imsc_init: return track + "/init.mp4";
    case hls::Resource::Kind::imsc_segment: return track + "/" + number + ".m4s";
    case hls::Resource::Kind::image_cues: return track + "/thumbnails.vtt";
    case hls::Resource::Kind::image_sheet: return track + "/" + number + ".jpg";
    case hls::Resource::Kind::image_bif: return track + "/index.bif";
    case hls::Resource::Kind::key: return track + "/key";
    case hls::Resource::Kind::clearkey: return track + "/clearkey.json";
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view path = as_text(ByteView(data, size));
  const auto resource = hls::parse_resource(path);
  if (resource) CHECK(path_of(*resource) == path);
  return 0;
}
