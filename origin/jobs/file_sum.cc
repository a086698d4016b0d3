#include "origin/jobs/file_sum.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/bytes.h"
#include "common/base/crc32c.h"
#include "common/base/unique_fd.h"

namespace reelway::origin {

Result<FileSum> sum_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error("open", path, errno);
  Bytes piece(1 << 20);
  FileSum sum;
  for (;;) {
    const ssize_t count = ::read(file.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("read", path, errno);
    if (count == 0) return sum;
    sum.crc32c = crc32c(ByteView(piece).first(static_cast<std::size_t>(count)), sum.crc32c);
    sum.bytes += static_cast<std::uint64_t>(count);
  }
}

}  // namespace reelway::origin
