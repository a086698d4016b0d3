#include "origin/request/protected_media.h"

#include <set>

#include "common/base/check.h"
#include "origin/hls/key_tags.h"
#include "origin/hls/protected_init.h"
#include "origin/request/media_request.h"
#include "origin/request/rendering.h"

// The steps of a media request that have to do with protection: whether a version is handed out so, which keys it
// takes, and the keys themselves. Keys are objects below their rendition's path, so an edge gives them only to a
// session whose token, rental and view allow that rendition; and they are never stored on the way.

namespace reelway::origin {
namespace {

using Kind = hls::Resource::Kind;

// The lines that are not there yet.
void add_lines(std::string& text, std::set<std::string>& known, const std::string& lines) {
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at) + 1;
    CHECK(end > at);
    std::string line = lines.substr(at, end - at);
    at = end;
    if (known.insert(line).second) text += line;
  }
}

// Their media is in the clear, or they lead to such.
bool is_clear_only(Kind kind) {
  return kind == Kind::iframe_file || kind == Kind::iframe_playlist || kind == Kind::dash_manifest;
}

}  // namespace

bool is_protected(hls::Packaging packaging) {
  return hls::traits(packaging).protection != hls::Protection::none;
}

hls::ContentKey key_of(const PublishedVersion& version, const VersionKeys& keys, std::size_t position) {
  const hls::Track& track = version.presentation.tracks[position];
  return track_key(provided_key(keys, track), track.id, position);
}

std::string key_lines(const PublishedVersion& version, const VersionKeys* keys, hls::Packaging packaging,
                      std::size_t position) {
  if (keys == nullptr) return {};
  return hls::key_tags(packaging, key_of(version, *keys, position),
                       provided_key(*keys, version.presentation.tracks[position]).media_tags);
}

std::string session_keys(const PublishedVersion& version, const VersionKeys* keys, hls::Packaging packaging,
                         const hls::Presentation& carried) {
  std::string text;
  std::set<std::string> known;
  for (const hls::Track& track : carried.tracks) {
    if (keys == nullptr) break;
    const int position = version.track_position(track.id);
    CHECK(position >= 0);
    const hls::ContentKey key = key_of(version, *keys, static_cast<std::size_t>(position));
    add_lines(text, known, hls::session_key_tags(packaging, track.id, key, provided_key(*keys, track).session_tags));
  }
  return text;
}

Bytes init_of(const PublishedVersion& version, const VersionKeys* keys, hls::Packaging packaging,
              std::size_t position) {
  const hls::Track& track = version.presentation.tracks[position];
  if (keys == nullptr) return hls::init_segment(track);
  return hls::protected_init_segment(track, packaging, key_of(version, *keys, position),
                                     provided_key(*keys, track).pssh);
}

// Small pictures are the same for every packaging, and lie in none's folder. A clip goes to who has not rented: it must
// not bring the film's keys.
Verdict MediaRequest::check_offered() {
  if (is_image(resource_.kind)) return Verdict::next;
  const bool fits = version_->is_protected == is_protected(resource_.packaging);
  const bool is_open = !version_->is_protected || (clip_.is_whole_film() && !is_clear_only(resource_.kind));
  if (fits && is_open) return Verdict::next;
  return fail(
      {ErrorCode::packaging_not_offered, Side::client, false,
       version_->title + " " + version_->version + (version_->is_protected ? " is protected" : " is in the clear")});
}

// What is rendered already needs no key any more.
Verdict MediaRequest::find_keys() {
  if (error_) return fail(*error_);
  if (!is_protected(resource_.packaging) || is_text(resource_.kind) || is_image(resource_.kind) ||
      services_.rendered.find(rendered_key_)) {
    return Verdict::next;
  }
  if (!keys_) keys_ = services_.content_keys.cached(parts_.title, parts_.version);
  if (keys_) {
    if (!resource_.is_of_version()) key_ = key_of(*version_, *keys_, track_);
    return Verdict::next;
  }
  const auto self = shared_from_this();
  services_.content_keys.find({version_->title, version_->version, version_->source_sha256},
                              [this, self](Result<std::shared_ptr<const VersionKeys>> found) {
                                if (found) {
                                  keys_ = std::move(found).value();
                                } else {
                                  error_ = found.error();
                                }
                                advance();
                              });
  return Verdict::wait;
}

Verdict MediaRequest::serve_key() {
  const bool clearkey = resource_.kind == Kind::clearkey;
  if (!clearkey && resource_.kind != Kind::key) return Verdict::next;
  const std::string body = clearkey ? clearkey_licence(*key_) : std::string(as_text(ByteView(key_->key)));
  Response response;
  response.headers = {{"Content-Type", content_type()}, {"Cache-Control", "no-store"}};
  response.text = std::make_shared<const std::string>(body);
  return send(std::move(response), body.size());
}

}  // namespace reelway::origin
