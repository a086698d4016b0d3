#include "origin/worker/film_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "common/base/unique_fd.h"
#include "common/telemetry/log.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/file_bytes.h"
#include "origin/ingest/sha256.h"

// Model. "<sum>" is a film that came whole and was found right; "<sum>.part" one that is on its way. Only the thread
// that set `fetching` touches the part file.

namespace reelway::origin {
namespace {

constexpr std::size_t kSumCharacters = 64;
constexpr std::chrono::seconds kAskEvery{1};  // whoever waits for another's fetch

std::uint64_t size_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

Result<std::string> sum_of(const std::string& path) {
  Sha256 sum;
  REELWAY_TRY(read_pieces(path, 0, [&](ByteView piece) -> Result<void> {
    sum.add(piece);
    return {};
  }));
  return sum.finish();
}

}  // namespace

Result<void> FilmCache::open() {
  REELWAY_TRY(make_folders(folder_));
  const std::lock_guard hold(mutex_);
  std::error_code failure;
  for (const auto& file : std::filesystem::directory_iterator(folder_, failure)) {
    const std::string name = file.path().filename().string();
    if (name.size() != kSumCharacters) continue;
    films_[name] = {size_of(file.path().string()), std::make_shared<const std::string>(file.path().string())};
  }
  if (failure) return system_error("list", folder_, failure.value());
  return {};
}

Result<std::shared_ptr<const std::string>> FilmCache::get(const SourceFile& film, const std::string& path,
                                                          const WorkClient& client, Patience& patience,
                                                          const Wanted& wanted) {
  std::unique_lock hold(mutex_);
  const auto is_fetched = [&] {
    const auto place = films_.find(film.sha256);
    return place == films_.end() || !place->second.fetching;
  };
  while (!fetched_.wait_for(hold, kAskEvery, is_fetched)) {
    hold.unlock();
    if (patience.given_up()) return Error{ErrorCode::shutting_down, Side::self, true, "the film is not here yet"};
    REELWAY_TRY(wanted());
    hold.lock();
  }
  const auto place = films_.find(film.sha256);
  if (place != films_.end()) {
    place->second.used = ++uses_;
    return place->second.path;
  }
  if (film.bytes > bytes_max_) {
    return Error{
        ErrorCode::disk_full, Side::disk, false,
        "the film has " + std::to_string(film.bytes) + " bytes, films_bytes_max is " + std::to_string(bytes_max_)};
  }
  make_room(film.bytes);
  Entry& entry = films_[film.sha256];
  entry = {film.bytes, std::make_shared<const std::string>(folder_ + "/" + film.sha256), true, ++uses_};
  std::shared_ptr<const std::string> result = entry.path;
  hold.unlock();
  const Result<void> done = fetch(film, path, client, patience, wanted);
  hold.lock();
  films_[film.sha256].fetching = false;
  if (!done.ok()) films_.erase(film.sha256);
  hold.unlock();
  fetched_.notify_all();
  if (!done.ok()) return done.error();
  return result;
}

Result<void> FilmCache::fetch(const SourceFile& film, const std::string& path, const WorkClient& client,
                              Patience& patience, const Wanted& wanted) {
  const std::string whole = folder_ + "/" + film.sha256, part = whole + ".part";
  const UniqueFd file(::open(part.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file) return system_error("create", part, errno);
  const std::uint64_t have = size_of(part);
  telemetry::log_info("fetching {} {} from byte {} of {}", film.title, film.version, have, film.bytes);
  if (have < film.bytes) {
    const auto keep = [&](ByteView bytes) -> Result<void> {
      REELWAY_TRY(wanted());
      return write_all(file.get(), part, bytes);
    };
    REELWAY_TRY(client.get(path + "?offset=" + std::to_string(have), keep, patience));
  }
  const Result<std::string> sum = sum_of(part);
  if (!sum.ok()) return sum.error();
  if (*sum != film.sha256) {
    REELWAY_TRY(remove_all(part));
    return Error{ErrorCode::stored_data_corrupt, Side::upstream, true,
                 film.title + " " + film.version + " did not come as the origin keeps it"};
  }
  return move_durably(part, whole);
}

void FilmCache::make_room(std::uint64_t bytes) {
  for (;;) {
    std::uint64_t held = 0;
    auto oldest = films_.end();
    for (auto film = films_.begin(); film != films_.end(); ++film) {
      held += film->second.bytes;
      const bool is_free = !film->second.fetching && film->second.path.use_count() == 1;
      if (is_free && (oldest == films_.end() || film->second.used < oldest->second.used)) oldest = film;
    }
    if (held + bytes <= bytes_max_ || oldest == films_.end()) return;
    if (const Result<void> removed = remove_all(*oldest->second.path); !removed.ok()) {
      telemetry::log_warn("{}", describe(removed.error()));
    }
    films_.erase(oldest);
  }
}

}  // namespace reelway::origin
