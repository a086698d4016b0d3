#include "origin/request/media_request.h"

#include <array>

#include "common/base/crc32c.h"
#include "common/http/gzip.h"
#include "common/telemetry/log.h"
#include "origin/catalog/published_clip.h"
#include "origin/request/computed_body.h"
#include "origin/request/entity_tag.h"
#include "origin/request/pieced_body.h"
#include "origin/request/rendering.h"

// The life of an edge's request. Playlists and init segments are made from indexes alone and kept for a while; a
// segment of clear CMAF is a header computed here followed by one range of a track file; one of any other packaging is
// computed from such a range. The range is brought into memory and checked before the head of the answer goes out, so
// that a damaged film is an honest 500 and not a body cut short. A computed segment is made once for its length and its
// sum, which are kept, and then for each who asks for it.

namespace reelway::origin {
namespace {

constexpr std::string_view kImmutable = "public, max-age=31536000, immutable";  // a version's path names one content

Error client_error(ErrorCode code, std::string detail) {
  Error error;
  error.code = code;
  error.side = Side::client;
  error.detail = std::move(detail);
  return error;
}

using ResourceKind = hls::Resource::Kind;

MediaKind kind_of(ResourceKind kind) {
  switch (kind) {
    case ResourceKind::multivariant:
    case ResourceKind::dash_manifest: return MediaKind::multivariant;
    case ResourceKind::media_playlist:
    case ResourceKind::iframe_playlist:
    case ResourceKind::text_playlist:
    case ResourceKind::imsc_playlist:
    case ResourceKind::image_playlist: return MediaKind::media_playlist;
    case ResourceKind::init:
    case ResourceKind::imsc_init: return MediaKind::init;
    case ResourceKind::iframe_file:
    case ResourceKind::segment: return MediaKind::segment;
    case ResourceKind::text_segment:
    case ResourceKind::imsc_segment: return MediaKind::text;
    case ResourceKind::image_cues:
    case ResourceKind::image_sheet:
    case ResourceKind::image_bif: return MediaKind::image;
    case ResourceKind::key:
    case ResourceKind::clearkey: return MediaKind::content_key;
  }
  return MediaKind::other;
}

// What is below a clip's folder, for a path that begins with one.
std::string_view take_clip(std::string_view resource, access::Clip& clip) {
  const std::size_t slash = resource.find('/');
  if (slash == std::string_view::npos) return resource;
  const auto found = access::clip_of_folder(resource.substr(0, slash));
  if (!found) return resource;
  clip = *found;
  return resource.substr(slash + 1);
}

}  // namespace

std::span<const Step<MediaRequest>> MediaRequest::steps() {
  static constexpr std::array<Step<MediaRequest>, 18> kSteps = {{
      {"authenticate", &MediaRequest::authenticate},
      {"check_method", &MediaRequest::check_method},
      {"serve_keys", &MediaRequest::serve_keys},
      {"serve_replica", &MediaRequest::serve_replica},
      {"parse", &MediaRequest::parse},
      {"narrow", &MediaRequest::narrow},
      {"find_version", &MediaRequest::find_version},
      {"check_offered", &MediaRequest::check_offered},
      {"find_clip", &MediaRequest::find_clip},
      {"find_track", &MediaRequest::find_track},
      {"find_keys", &MediaRequest::find_keys},
      {"serve_key", &MediaRequest::serve_key},
      {"serve_rendered", &MediaRequest::serve_rendered},
      {"plan", &MediaRequest::plan},
      {"open_file", &MediaRequest::open_file},
      {"warm_range", &MediaRequest::warm_range},
      {"measure", &MediaRequest::measure},
      {"serve_segment", &MediaRequest::serve_segment},
  }};
  return kSteps;
}

MediaRequest::MediaRequest(MediaServices& services, Responder& responder)
    : SteppedRequest(services.loop, responder), services_(services) {}

void MediaRequest::begin(const http::RequestHead& head) {
  head_ = &head;
  path_ = head.path();
  replica_route_ = find_replica_route(path_);
  advance();
}

void MediaRequest::body_cut(const Error& error) {
  fail(error);
}

Verdict MediaRequest::authenticate() {
  const auto edge = head_->headers.find("Reelway-Edge");
  const auto authorization = head_->headers.find("Authorization");
  if (services_.edges.allows(edge.value_or(""), bearer_secret(authorization.value_or("")))) return Verdict::next;
  ++services_.counters.not_an_edge;
  return fail(client_error(ErrorCode::not_an_edge, ""));
}

Verdict MediaRequest::check_method() {
  const http::Method wanted = replica_route_ != nullptr ? replica_route_->method : http::Method::get;
  const http::Method method = head_->method == http::Method::head ? http::Method::get : head_->method;
  if (method == wanted) return Verdict::next;
  Response response = error_reply(client_error(ErrorCode::http_method_not_allowed, std::string(head_->method_text)));
  response.headers.emplace_back("Allow", wanted == http::Method::get ? "GET, HEAD" : "POST");
  return send(std::move(response), 0);
}

Verdict MediaRequest::serve_keys() {
  if (path_ != kKeysPath) return Verdict::next;
  // Once, though the step may be asked twice.
  if (kind_ != MediaKind::keys) {
    count(MediaKind::keys);
    hear_edge();
  }
  if (services_.keys.stale() && !refreshed_) {
    refreshed_ = true;
    return wait_for_worker([this] {
      if (const auto refreshed = services_.keys.refresh(); !refreshed) error_ = refreshed.error();
    });
  }
  // Old keys are better than none: edges go on with what they have anyway.
  if (error_) telemetry::log_error("signing keys: {}", describe(*error_));
  Response response = json_response(200, keys_document(*services_.keys.current()));
  const std::uint64_t bytes = response.body_bytes();
  return send(std::move(response), bytes);
}

// An edge reports on itself with each poll of the keys. What it says is no reason to refuse it the keys.
void MediaRequest::hear_edge() {
  const auto state = head_->headers.find(kEdgeStateHeader);
  if (!state) return;
  // What has another form is counted there.
  static_cast<void>(services_.registry.heard(head_->headers.find("Reelway-Edge").value_or(""), *state));
}

Verdict MediaRequest::serve_replica() {
  if (replica_route_ == nullptr) return Verdict::next;
  if (!query_) {
    count(replica_route_->kind);
    auto query = QueryFields::parse(head_->query());
    if (!query) return fail(query.error());
    query_ = std::move(query).value();
  }
  if (!served_ && replica_route_->on_worker) {
    return wait_for_worker([this] { served_ = replica_route_->serve(services_.replica, *query_); });
  }
  if (!served_) served_ = replica_route_->serve(services_.replica, *query_);
  if (!*served_) return fail(served_->error());
  Response response = std::move(*served_).value();
  const std::uint64_t bytes = response.body_bytes();
  return send(std::move(response), bytes);
}

Verdict MediaRequest::parse() {
  const auto parts = parse_media_path(path_);
  auto resource = parts ? hls::parse_resource(take_clip(parts->resource, clip_)) : Result<hls::Resource>(parts.error());
  count(resource ? kind_of(resource->kind) : MediaKind::other);
  if (!resource) return fail(resource.error());
  parts_ = *parts;
  resource_ = *resource;
  return Verdict::next;
}

Verdict MediaRequest::find_version() {
  if (error_) return fail(*error_);
  const Audience audience = view_.preview != 0 ? Audience::preview : Audience::viewers;
  if (!version_) version_ = services_.catalog.cached(parts_.title, parts_.version, audience);
  if (version_) return Verdict::next;
  return wait_for_worker([this, audience] {
    auto found = services_.catalog.published(parts_.title, parts_.version, audience);
    if (found) {
      version_ = std::move(found).value();
    } else {
      error_ = found.error();
    }
  });
}

// A clip is packaged as a version of its own.
Verdict MediaRequest::find_clip() {
  if (error_) return fail(*error_);
  if (clip_.is_whole_film() || version_->whole != nullptr) return Verdict::next;
  if (auto known = services_.clips.find(version_, clip_)) {
    version_ = std::move(known);
    return Verdict::next;
  }
  if (made_clip_) {
    services_.clips.add(made_clip_, clip_);
    version_ = std::move(made_clip_);
    return Verdict::next;
  }
  return wait_for_worker([this] {
    auto made = published_clip(version_, clip_);
    if (made) {
      made_clip_ = std::move(made).value();
    } else {
      error_ = made.error();
    }
  });
}

Verdict MediaRequest::find_track() {
  if (resource_.is_of_version()) return Verdict::next;
  const int position = is_text(resource_.kind)    ? version_->text_position(resource_.track_id)
                       : is_image(resource_.kind) ? version_->image_position(resource_.track_id)
                                                  : version_->track_position(resource_.track_id);
  if (position < 0) return fail(client_error(ErrorCode::http_not_found, "this version has no such track"));
  track_ = static_cast<std::size_t>(position);
  return Verdict::next;
}

const hls::Track& MediaRequest::track() const {
  return version_->presentation.tracks[track_];
}

std::string MediaRequest::content_type() const {
  const bool is_side = is_text(resource_.kind) || is_image(resource_.kind);
  return std::string(hls::content_type(resource_, is_side ? mp4::TrackKind::video : track().index->kind));
}

// The edge has narrowed what its viewer may see; only the lists of renditions differ by it, but for a preview.
Verdict MediaRequest::narrow() {
  rendered_key_ = path_;
  const auto field = head_->headers.find("Reelway-View");
  if (!field) return Verdict::next;
  auto view = access::parse_view_id(*field);
  if (!view) return fail(client_error(ErrorCode::http_bad_request, "header Reelway-View: expected a view's id"));
  if (view->clip != clip_) return fail(client_error(ErrorCode::http_bad_request, "header Reelway-View: another clip"));
  if (!resource_.is_of_version() && view->preview == 0) return Verdict::next;
  if (view->preview != 0 && version_name(view->preview) != parts_.version) {
    return fail(client_error(ErrorCode::http_bad_request, "header Reelway-View: a preview of another version"));
  }
  view_ = std::move(*view);
  if (view_ != access::View{}) rendered_key_ += "?" + access::view_id(view_);  // no path has a '?'
  return Verdict::next;
}

Verdict MediaRequest::serve_rendered() {
  if (!is_rendered(resource_.kind)) return Verdict::next;
  if (error_) return fail(*error_);
  if (const auto rendered = services_.rendered.find(rendered_key_)) {
    ++services_.counters.rendered_hits;
    return serve_form(*rendered);
  }
  if (made_) {
    ++services_.counters.playlists_rendered;
    services_.rendered.add(rendered_key_, made_);
    return serve_form(*made_);
  }
  return wait_for_worker([this] {
    auto made = render({*version_, track_, resource_, content_type(), view_, services_.steering, keys_.get()});
    if (made) {
      made_ = std::move(made).value();
    } else {
      error_ = made.error();
    }
  });
}

Verdict MediaRequest::serve_form(const Rendered& rendered) {
  const bool has_gzip = rendered.gzip.body != nullptr;
  const bool is_packed = has_gzip && http::accepts_gzip(head_->headers.find("Accept-Encoding").value_or(""));
  const Rendered::Form& form = is_packed ? rendered.gzip : rendered.plain;
  Response response;
  if (client_has(form.etag)) {
    response = not_modified(form.etag);
  } else {
    response.headers = {{"Content-Type", rendered.content_type},
                        {"ETag", form.etag},
                        {"Cache-Control", std::string(kImmutable)},
                        {"Content-Digest", form.digest}};
    if (is_packed) response.headers.emplace_back("Content-Encoding", "gzip");
    response.text = form.body;
  }
  if (has_gzip) response.headers.emplace_back("Vary", "Accept-Encoding");
  const std::uint64_t bytes = response.body_bytes();
  return send(std::move(response), bytes);
}

Verdict MediaRequest::plan() {
  if (is_image(resource_.kind)) return plan_image();
  if (resource_.kind == hls::Resource::Kind::iframe_file) return plan_iframes();
  if (resource_.packaging != hls::Packaging::cmaf) return plan_computed();
  auto planned = hls::plan_segment(*track().index, version_->presentation.units_per_segment, resource_.segment);
  if (!planned) return fail(planned.error());
  plan_ = std::move(planned).value();
  etag_ = entity_tag(plan_.crc32c, plan_.header.size() + plan_.file_bytes, version_->content_id);
  return client_has(etag_) ? send(not_modified(etag_), 0) : Verdict::next;
}

// A segment without a header: what is sent is what lies in the file.
Verdict MediaRequest::plan_image() {
  auto found = image_source(*version_, track_, resource_);
  if (!found) return fail(found.error());
  image_ = std::move(found).value();
  plan_.file_offset = image_->offset;
  plan_.file_bytes = image_->bytes;
  plan_.crc32c = image_->crc32c;
  etag_ = entity_tag(plan_.crc32c, plan_.file_bytes, version_->content_id);
  return client_has(etag_) ? send(not_modified(etag_), 0) : Verdict::next;
}

// The units that its pictures are of are checked as a whole before the first byte is sent.
Verdict MediaRequest::plan_iframes() {
  const mp4::TrackIndex& index = *track().index;
  const bool has_file = index.kind == mp4::TrackKind::video && resource_.packaging == hls::Packaging::cmaf &&
                        resource_.segment < hls::iframe_file_count(index);
  if (!has_file) return fail(client_error(ErrorCode::http_not_found, "this track has no such file of I-frames"));
  pieces_ = hls::iframe_file(index, resource_.segment);
  std::uint32_t sum = 0;
  std::uint64_t bytes = 0;
  for (const hls::FilePiece& piece : pieces_) {
    sum = crc32c(piece.header, sum);
    bytes += piece.header.size() + piece.file_bytes;
  }
  plan_.file_offset = pieces_.front().file_offset;
  plan_.file_bytes = pieces_.back().file_offset + pieces_.back().file_bytes - plan_.file_offset;
  // Whatever differs in the pictures differs in the sums that the version's content is named by.
  etag_ = entity_tag(sum, bytes, version_->content_id);
  return client_has(etag_) ? send(not_modified(etag_), 0) : Verdict::next;
}

Verdict MediaRequest::serve_iframes() {
  ++services_.counters.segments_packaged;
  Response response;
  response.headers = {{"Content-Type", content_type()}, {"ETag", etag_}, {"Cache-Control", std::string(kImmutable)}};
  response.file = pieced_body(services_.files, file_, std::move(pieces_));
  const std::uint64_t bytes = response.body_bytes();
  return send(std::move(response), bytes);
}

hls::SegmentOrder MediaRequest::order(ByteView notes) const {
  return {.index = *track().index,
          .units_per_segment = version_->presentation.units_per_segment,
          .segment = resource_.segment,
          .packaging = resource_.packaging,
          .key = key_ ? &*key_ : nullptr,
          .notes = notes};
}

Verdict MediaRequest::plan_computed() {
  if (const SegmentFacts* known = services_.segment_facts.find(path_)) facts_ = *known;
  auto maker = hls::make_segment_maker(order(facts_ ? ByteView(facts_->notes) : ByteView{}));
  if (!maker) return fail(maker.error());
  maker_ = std::move(maker).value();
  const mp4::TrackIndex& index = *track().index;
  const auto units = hls::segment_units(index, version_->presentation.units_per_segment, resource_.segment);
  const mp4::Unit& first = index.units[units.first];
  const mp4::Unit& last = index.units[units.first + units.count - 1];
  plan_.file_offset = first.file_offset;
  plan_.file_bytes = last.file_offset + last.file_bytes - first.file_offset;
  if (!facts_) return Verdict::next;
  etag_ = entity_tag(facts_->crc32c, facts_->bytes, version_->content_id);
  return client_has(etag_) ? send(not_modified(etag_), 0) : Verdict::next;
}

Verdict MediaRequest::open_file() {
  if (error_) return fail(*error_);
  const std::string& path = image_ ? image_->path : version_->files[track_];
  if (!file_) file_ = services_.files.find(path);
  if (file_) return Verdict::next;
  const auto self = shared_from_this();
  // A file is opened once for all, so with the units of the whole film.
  const PublishedVersion& whole = version_->whole != nullptr ? *version_->whole : *version_;
  const auto index = image_ ? nullptr : whole.presentation.tracks[track_].index;
  services_.files.open(path, image_ ? image_->file_bytes : index->file_bytes,
                       image_ ? image_->units : std::shared_ptr<const mp4::UnitTable>(index, &index->units),
                       [this, self](Result<std::shared_ptr<TrackFile>> opened) {
                         if (opened) {
                           file_ = std::move(opened).value();
                         } else {
                           error_ = opened.error();
                         }
                         advance();
                       });
  return Verdict::wait;
}

Verdict MediaRequest::warm_range() {
  if (error_) return fail(*error_);
  const TrackFile::Range range{plan_.file_offset, plan_.file_bytes};
  // One read is enough here: should the range leave memory again at once, the sending side asks for it anew.
  if (warmed_ || file_->fit_to_send(range)) return Verdict::next;
  warmed_ = true;
  const auto self = shared_from_this();
  services_.files.warm(file_, range, [this, self](Result<void> read) {
    if (!read) error_ = read.error();
    advance();
  });
  return Verdict::wait;
}

// What a computed segment's head says of it is not known before it has been made once.
Verdict MediaRequest::measure() {
  if (error_) return fail(*error_);
  if (!maker_ || !etag_.empty()) return Verdict::next;
  if (!facts_) {
    return wait_for_worker([this] {
      auto found = find_facts(*maker_, *file_);
      if (found) {
        facts_ = std::move(found).value();
      } else {
        error_ = found.error();
      }
    });
  }
  services_.segment_facts.add(path_, *facts_);
  auto maker = hls::make_segment_maker(order(facts_->notes));
  if (!maker) return fail(maker.error());
  maker_ = std::move(maker).value();
  etag_ = entity_tag(facts_->crc32c, facts_->bytes, version_->content_id);
  return client_has(etag_) ? send(not_modified(etag_), 0) : Verdict::next;
}

Verdict MediaRequest::serve_computed() {
  ++services_.counters.segments_packaged;
  Response response;
  response.headers = {{"Content-Type", content_type()},
                      {"ETag", etag_},
                      {"Cache-Control", std::string(kImmutable)},
                      {"Content-Digest", crc32c_digest_field(facts_->crc32c)}};
  response.file = computed_body(services_.loop, services_.files, file_, std::move(maker_), *facts_);
  return send(std::move(response), facts_->bytes);
}

Verdict MediaRequest::serve_segment() {
  if (maker_) return serve_computed();
  if (!pieces_.empty()) return serve_iframes();
  const std::uint64_t bytes = plan_.header.size() + plan_.file_bytes;
  if (!image_) ++services_.counters.segments_packaged;
  Response response;
  response.headers = {{"Content-Type", content_type()},
                      {"ETag", etag_},
                      {"Cache-Control", std::string(kImmutable)},
                      {"Content-Digest", crc32c_digest_field(plan_.crc32c)}};
  response.text = std::make_shared<const std::string>(as_text(plan_.header));
  response.file = services_.files.body(file_, {plan_.file_offset, plan_.file_bytes});
  return send(std::move(response), bytes);
}

Response MediaRequest::not_modified(const std::string& etag) const {
  Response response;
  response.status = 304;
  response.headers = {{"ETag", etag}, {"Cache-Control", std::string(kImmutable)}};
  return response;
}

bool MediaRequest::client_has(const std::string& etag) const {
  const auto field = head_->headers.find("If-None-Match");
  return field && none_match_names(*field, etag);
}

Verdict MediaRequest::fail(const Error& error) {
  if (error.info().http_status >= 500) {
    telemetry::log_error("{} {}: {}", head_->method_text, path_, describe(error));
  }
  return send(error_reply(error), 0);
}

void MediaRequest::count(MediaKind kind) {
  kind_ = kind;
  ++services_.counters.media_requests[static_cast<std::size_t>(kind)];
}

Verdict MediaRequest::send(Response response, std::uint64_t body_bytes) {
  ++services_.counters.media_responses[response.status];
  if (head_->method == http::Method::get) {
    services_.counters.media_body_bytes[static_cast<std::size_t>(kind_)] += body_bytes;
  }
  return answer(std::move(response));
}

}  // namespace reelway::origin
