#include "origin/ingest/import_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/encoding.h"
#include "common/base/unique_fd.h"
#include "origin/ingest/file_bytes.h"
#include "origin/objects/content_checksum.h"

namespace reelway::origin {

Result<StreamedFilm> stream_film(WebFilms& films, const WebUrl& url, const WebHead& head, const std::string& path,
                                 const StreamLimits& limits, Patience& patience, std::atomic<std::uint64_t>& received) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return system_error("create", path, errno);
  ContentChecksum sum(ChecksumKind::sha256);
  std::uint64_t size = 0, checked = 0;
  const auto restart = [&]() -> Result<void> {
    if (::ftruncate(file.get(), 0) != 0) return system_error("truncate", path, errno);
    sum = ContentChecksum(ChecksumKind::sha256);
    size = checked = 0;
    received = 0;
    return {};
  };
  const auto take = [&](ByteView bytes) -> Result<void> {
    if (bytes.size() > limits.bytes_max - size) {
      return Error{ErrorCode::upload_too_large, Side::client, false,
                   url.shown + " has more than " + std::to_string(limits.bytes_max) + " bytes"};
    }
    if (size + bytes.size() > checked) {
      REELWAY_TRY(limits.has_room(limits.step_bytes));
      checked = size + limits.step_bytes;
    }
    REELWAY_TRY(write_all_at(file.get(), path, size, bytes));
    sum.add(bytes);
    size += bytes.size();
    received = size;
    return {};
  };
  REELWAY_TRY(films.read_whole(url, head, restart, take, patience));
  if (size == 0) return Error{ErrorCode::url_failed, Side::upstream, false, url.shown + " is empty"};
  if (::fdatasync(file.get()) != 0) return system_error("fdatasync", path, errno);
  return StreamedFilm{size, hex(sum.finish())};
}

}  // namespace reelway::origin
