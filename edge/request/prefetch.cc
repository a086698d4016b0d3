#include "edge/request/prefetch.h"

#include <utility>

#include "edge/policy/cache_key.h"
#include "edge/policy/next_object.h"
#include "edge/request/film_fetch.h"

namespace reelway::edge {
namespace {

bool has_ended(const Fill& fill) {
  return fill.object()->state() == ObjectState::complete || fill.object()->state() == ObjectState::failed;
}

}  // namespace

void Prefetch::after(const Asked& asked) {
  if (options_.segments == 0 || asked.request.method != http::Method::get) return;
  const bool was_fetched = take_fetched(asked.key);
  if (asked.was_in_memory && !was_fetched && asked.request.query().empty()) return;
  std::string next = next_of(&asked.request, asked.path.object_path);
  for (std::size_t ahead = 0; ahead < options_.segments && !next.empty(); ++ahead) {
    if (access::varies_by_view(next) || !access::check_path_in_view(asked.view, next).ok()) return;
    const std::string key = cache_key(next, kViewAll);
    if (store_.peek(key) == nullptr) {
      if (!has_room()) {
        ++counters_.held_back;
        return;
      }
      begin(next, key);
    }
    next = next_of(nullptr, next);
  }
}

// By number only what the playlist lists: an origin is not asked for what is behind the end.
std::string Prefetch::next_of(const http::RequestHead* request, std::string_view object_path) {
  if (request != nullptr) {
    if (auto next = next_by_cmcd(*request, object_path)) return std::move(*next);
  }
  auto next = next_by_number(object_path);
  if (!next) return {};
  if (store_.peek(cache_key(*next, kViewAll)) != nullptr) return std::move(*next);
  const auto playlist = store_.peek(cache_key(playlist_of_segment(*next), kViewAll));
  if (playlist == nullptr || !playlist_lists(as_text(playlist->view(0)), *next)) return {};
  return std::move(*next);
}

bool Prefetch::has_room() {
  std::erase_if(running_, [](const std::shared_ptr<Fill>& fill) { return has_ended(*fill); });
  return running_.size() < options_.running_max && upstream_has_room_();
}

void Prefetch::begin(const std::string& object_path, const std::string& key) {
  Lookup found = store_.lookup(key);
  if (found.kind != Lookup::Kind::fill) return;
  ++counters_.begun;
  running_.push_back(
      fills_.begin(std::move(*found.permit), std::make_unique<FilmFetch>(fills_, object_path, kViewAll), true));
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
