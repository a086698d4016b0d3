#include "edge/request/prefetch.h"

#include <utility>

#include "common/http/gzip.h"
#include "edge/policy/cache_key.h"
#include "edge/policy/next_object.h"
#include "edge/request/film_fetch.h"

namespace reelway::edge {
namespace {

constexpr std::size_t kPlaylistBytesMax = 8 * 1024 * 1024;  // a segment of 2 s for 48 hours is 3 MB

bool has_ended(const Fill& fill) {
  return fill.object()->state() == ObjectState::complete || fill.object()->state() == ObjectState::failed;
}

}  // namespace

void Prefetch::after(const Asked& asked) {
  if (options_.segments == 0 || asked.request.method != http::Method::get) return;
  const bool was_fetched = take_fetched(asked.key);
  if (asked.was_in_memory && !was_fetched && asked.request.query().empty()) return;
  if (auto next = next_by_cmcd(asked.request, asked.path.object_path)) {
    return consider({std::move(*next), 1, true, asked.view});
  }
  if (auto next = next_by_number(asked.path.object_path)) consider({std::move(*next), 1, false, asked.view});
}

void Prefetch::consider(Candidate candidate) {
  const std::string& path = candidate.object_path;
  if (candidate.ahead > options_.segments || access::varies_by_view(candidate.view, path)) return;
  if (!access::check_path_in_view(candidate.view, path).ok()) return;
  const std::string key = cache_key(path, kViewAll);
  at_home_of_(key, [candidate = std::move(candidate), key](Prefetch& home) { home.consider_here(candidate, key); });
}

void Prefetch::consider_here(const Candidate& candidate, const std::string& key) {
  if (store_.peek(key) == nullptr) {
    if (!candidate.is_listed) return look_into_playlist(candidate);
    if (!has_room()) {
      ++counters_.held_back;
      return;
    }
    begin(candidate.object_path, key);
  }
  auto next = next_by_number(candidate.object_path);
  if (next) consider({std::move(*next), candidate.ahead + 1, false, candidate.view});
}

// By number only what the playlist lists: an origin is not asked for what is behind the end.
void Prefetch::look_into_playlist(Candidate candidate) {
  const std::string playlist = cache_key(playlist_of_segment(candidate.object_path), kViewAll);
  at_home_of_(playlist, [candidate = std::move(candidate)](Prefetch& home) mutable {
    if (!home.playlist_has(candidate.object_path)) return;
    candidate.is_listed = true;
    home.consider(std::move(candidate));
  });
}

// Players take playlists in gzip, mostly: then that is what is stored.
bool Prefetch::playlist_has(std::string_view object_path) {
  const std::string path = playlist_of_segment(object_path);
  if (const auto plain = store_.peek(cache_key(path, kViewAll))) {
    return playlist_lists(as_text(plain->view(0)), object_path);
  }
  const auto packed = store_.peek(cache_key(path, kViewAll, Coding::gzip));
  if (packed == nullptr || packed->state() != ObjectState::complete) return false;
  const auto text = http::gunzipped(packed->view(0), kPlaylistBytesMax);
  return text && playlist_lists(*text, object_path);
}

bool Prefetch::has_room() {
  std::erase_if(running_, [](const std::shared_ptr<Fill>& fill) { return has_ended(*fill); });
  return running_.size() < options_.running_max && upstream_has_room_();
}

void Prefetch::begin(const std::string& object_path, const std::string& key) {
  Lookup found = store_.lookup(key);
  if (found.kind != Lookup::Kind::fill) return;
  ++counters_.begun;
  running_.push_back(fills_.begin(std::move(*found.permit),
                                  std::make_unique<FilmFetch>(fills_, FilmFetch::Asked{object_path, kViewAll}), true));
  fetched_.insert(key);
  fetched_order_.push_back(key);
  if (fetched_order_.size() <= kRemembered) return;
  fetched_.erase(fetched_order_.front());
  fetched_order_.pop_front();
}

bool Prefetch::take_fetched(const std::string& key) {
  if (fetched_.empty() || fetched_.erase(key) == 0) return false;
  ++counters_.used;
  return true;
}

}  // namespace reelway::edge
