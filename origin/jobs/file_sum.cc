#include "origin/jobs/file_sum.h"

#include "common/base/crc32c.h"
#include "origin/ingest/file_bytes.h"

namespace reelway::origin {

Result<FileSum> sum_file(const std::string& path) {
  FileSum sum;
  REELWAY_TRY(read_pieces(path, 0, [&](ByteView piece) -> Result<void> {
    sum.crc32c = crc32c(piece, sum.crc32c);
    sum.bytes += piece.size();
    return {};
  }));
  return sum;
}

}  // namespace reelway::origin
