#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "common/base/result.h"
#include "origin/ingest/web_film.h"

namespace reelway::origin {

struct StreamedFilm {
  std::uint64_t size_bytes = 0;
  std::string sha256;  // lower-case hex
};

struct StreamLimits {
  std::uint64_t bytes_max = 0;
  std::uint64_t step_bytes = 0;                               // how often room is looked at
  std::function<Result<void>(std::uint64_t bytes)> has_room;  // for so many more
};

// Fetches a film of which no parts can be asked for into the file at `path`, in one go, summing as it comes. What a cut
// or a crash leaves is of no use, and is fetched again. The file is synced in the end. `received` counts, for progress.
// Errors of WebFilms and of the disk; upload_too_large.
Result<StreamedFilm> stream_film(WebFilms& films, const WebUrl& url, const WebHead& head, const std::string& path,
                                 const StreamLimits& limits, Patience& patience, std::atomic<std::uint64_t>& received);

}  // namespace reelway::origin
