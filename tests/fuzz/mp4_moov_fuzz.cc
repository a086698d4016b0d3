#include <cstddef>
#include <cstdint>

#include "common/base/check.h"
#include "origin/mp4/track_index.h"

// Any bytes as a moov box: an error, or an index that can be stored and read back, and that audio can be cut by.

using namespace reelway;
using namespace reelway::origin;

namespace {

constexpr std::uint64_t kFileBytes = std::uint64_t{1} << 36;

void check_index(const mp4::TrackIndex& index) {
  const Bytes stored = mp4::serialize_index(index);
  const auto back = mp4::parse_index(stored);
  CHECK(back.ok());
  CHECK(mp4::serialize_index(*back) == stored);
  std::uint64_t former = 0;
  for (std::size_t i = 1; i <= index.units.size(); ++i) {
    CHECK(mp4::unit_start(index, i) > former);
    former = mp4::unit_start(index, i);
  }
  CHECK(mp4::check_aligned(index, *back).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const auto index = mp4::index_from_moov(bytes, kFileBytes, nullptr);
  if (!index) return 0;
  check_index(*index);
  const mp4::Cuts own = mp4::cuts_of(*index);
  const mp4::Cuts other{3, {0, 7, 8, 30}, 31};
  for (const mp4::Cuts* cuts : {&own, &other}) {
    const auto cut = mp4::index_from_moov(bytes, kFileBytes, cuts);
    if (cut) check_index(*cut);
  }
  return 0;
}
