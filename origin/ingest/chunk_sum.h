#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "common/base/bytes.h"
#include "origin/ingest/tus_headers.h"

namespace reelway::origin {

// The sum of one PATCH's body, in the algorithm that its Upload-Checksum names.
class ChunkSum {
 public:
  explicit ChunkSum(ChecksumAlgorithm algorithm);
  ~ChunkSum();

  void add(ByteView bytes);
  Bytes finish();  // once; a CRC-32 is four bytes, the highest first

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// CRC-32 of IEEE 802.3, as zlib and PNG have it: crc32("123456789") is 0xcbf43926. `so_far` is that of the bytes
// before.
std::uint32_t crc32(ByteView bytes, std::uint32_t so_far = 0);

}  // namespace reelway::origin
