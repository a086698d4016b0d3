#include "origin/request/rendering.h"

#include "common/base/check.h"
#include "common/base/crc32c.h"
#include "common/http/gzip.h"
#include "origin/hls/dash_manifest.h"
#include "origin/hls/iframes.h"
#include "origin/hls/image_playlists.h"
#include "origin/hls/imsc_segments.h"
#include "origin/hls/text_segments.h"
#include "origin/hls/ts_segment.h"
#include "origin/request/entity_tag.h"
#include "origin/request/presentation_view.h"
#include "origin/request/protected_media.h"

namespace reelway::origin {
namespace {

using Kind = hls::Resource::Kind;

Error not_found(std::string detail) {
  return {ErrorCode::http_not_found, Side::client, false, std::move(detail)};
}

Result<std::string> multivariant(const RenderOrder& order) {
  const auto narrowed = presentation_in_view(order.version.presentation, order.view);
  if (!narrowed) return narrowed.error();
  const auto carried = hls::presentation_in_packaging(*narrowed, order.resource.packaging);
  if (!carried) return carried.error();
  const hls::Packaging packaging = order.resource.packaging;
  return hls::multivariant_playlist({.presentation = *carried,
                                     .packaging = packaging,
                                     .subtitles = hls::text_renditions(*carried),
                                     .subtitle_rates = hls::text_rates(*carried),
                                     .imsc = hls::imsc_renditions(*carried, packaging),
                                     .session_keys = session_keys(order.version, order.keys, packaging, *carried),
                                     .image_streams = hls::image_stream_lines(*carried, packaging),
                                     .title = order.version.name,
                                     .steering = order.steering});
}

Result<std::string> manifest(const RenderOrder& order) {
  const hls::Packaging packaging = order.resource.packaging;
  if (!hls::has_dash_manifest(packaging)) return not_found("this packaging has no DASH manifest");
  const auto narrowed = presentation_in_view(order.version.presentation, order.view);
  if (!narrowed) return narrowed.error();
  return hls::dash_manifest({.presentation = *narrowed, .packaging = packaging, .title = order.version.name});
}

Result<std::string> text_body(const RenderOrder& order) {
  const hls::Presentation& presentation = order.version.presentation;
  const hls::TextTrack& track = presentation.texts[order.position];
  const hls::Resource& resource = order.resource;
  if (resource.kind == Kind::text_playlist) return hls::text_playlist(presentation);
  if (resource.kind == Kind::text_segment) {
    return hls::text_segment(presentation, track, resource.packaging, resource.segment);
  }
  if (track.ttml == nullptr) return not_found("these subtitles did not come as TTML");
  if (resource.kind == Kind::imsc_playlist) return hls::imsc_playlist(presentation);
  if (resource.kind == Kind::imsc_init) return std::string(as_text(hls::imsc_init(presentation, track)));
  return hls::imsc_segment(presentation, track, resource.segment);
}

// What is beside picture and sound: made from indexes, too.
Result<std::string> side_body(const RenderOrder& order) {
  if (is_text(order.resource.kind)) return text_body(order);
  const hls::ImageTrack& track = order.version.presentation.images[order.position];
  return order.resource.kind == Kind::image_playlist ? hls::image_playlist(track) : hls::image_cues(track);
}

// Fragmented MP4 goes as it is: not every player unpacks it.
bool is_packed(Kind kind) {
  return kind != Kind::init && kind != Kind::imsc_init && kind != Kind::imsc_segment;
}

Result<std::string> body_of(const RenderOrder& order) {
  const hls::Presentation& presentation = order.version.presentation;
  const hls::Packaging packaging = order.resource.packaging;
  if (is_text(order.resource.kind) || is_image(order.resource.kind)) return side_body(order);
  const hls::Track& track = presentation.tracks[order.position];
  const bool is_ts = hls::traits(packaging).container == hls::Container::ts;
  if (is_ts && !order.resource.is_of_version()) REELWAY_TRY(hls::check_ts_carries(*track.index));
  switch (order.resource.kind) {
    case Kind::multivariant: return multivariant(order);
    case Kind::dash_manifest: return manifest(order);
    case Kind::media_playlist:
      return hls::media_playlist(presentation, track, packaging,
                                 key_lines(order.version, order.keys, packaging, order.position));
    case Kind::init:
      if (is_ts) return not_found("transport streams have no init segments");
      return std::string(as_text(init_of(order.version, order.keys, packaging, order.position)));
    case Kind::iframe_playlist:
      if (hls::iframes(*track.index, presentation.units_per_segment, packaging).empty()) {
        return not_found("this track has no I-frames in this packaging");
      }
      return hls::iframe_playlist(presentation, track, packaging);
    default: break;
  }
  CHECK(is_rendered(order.resource.kind));
  return std::string();
}

Rendered::Form form_of(std::string body, const PublishedVersion& version) {
  Rendered::Form form;
  form.body = std::make_shared<const std::string>(std::move(body));
  const std::uint32_t sum = crc32c(as_bytes(*form.body));
  form.etag = entity_tag(sum, form.body->size(), version.content_id);
  form.digest = crc32c_digest_field(sum);
  return form;
}

}  // namespace

bool is_rendered(Kind kind) {
  return kind != Kind::key && kind != Kind::clearkey && kind != Kind::segment && kind != Kind::iframe_file &&
         kind != Kind::image_sheet && kind != Kind::image_bif;
}

bool is_text(Kind kind) {
  return kind == Kind::text_playlist || kind == Kind::text_segment || kind == Kind::imsc_playlist ||
         kind == Kind::imsc_init || kind == Kind::imsc_segment;
}

bool is_image(Kind kind) {
  return kind == Kind::image_playlist || kind == Kind::image_cues || kind == Kind::image_sheet ||
         kind == Kind::image_bif;
}

Result<std::shared_ptr<const Rendered>> render(const RenderOrder& order) {
  auto body = body_of(order);
  if (!body) return std::move(body).error();
  auto rendered = std::make_shared<Rendered>();
  rendered->content_type = order.content_type;
  if (is_packed(order.resource.kind)) rendered->gzip = form_of(http::gzipped(*body), order.version);
  rendered->plain = form_of(std::move(body).value(), order.version);
  return std::shared_ptr<const Rendered>(std::move(rendered));
}

}  // namespace reelway::origin
