#include "origin/hls/bif.h"

namespace reelway::origin::hls {
namespace {

constexpr std::uint8_t kMagic[] = {0x89, 'B', 'I', 'F', 0x0D, 0x0A, 0x1A, 0x0A};
constexpr std::uint32_t kVersion = 0;
constexpr std::size_t kFixedBytes = 64, kEntryBytes = 8, kReserved = 44;
constexpr std::uint32_t kEndTime = 0xFFFFFFFF;

void append_little(Bytes& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace

std::uint64_t bif_head_bytes(std::size_t images) {
  return kFixedBytes + kEntryBytes * (images + 1);
}

std::uint64_t bif_bytes(const ImageIndex& index) {
  std::uint64_t bytes = bif_head_bytes(index.images.size());
  for (const StoredImage& image : index.images) bytes += image.bytes;
  return bytes;
}

Bytes bif_head(const ImageIndex& index) {
  Bytes out(std::begin(kMagic), std::end(kMagic));
  append_little(out, kVersion);
  append_little(out, static_cast<std::uint32_t>(index.images.size()));
  append_little(out, index.interval_ms);
  out.insert(out.end(), kReserved, 0);
  std::uint64_t offset = bif_head_bytes(index.images.size());
  for (std::uint32_t n = 0; n < index.images.size(); ++n) {
    append_little(out, n);
    append_little(out, static_cast<std::uint32_t>(offset));
    offset += index.images[n].bytes;
  }
  append_little(out, kEndTime);
  append_little(out, static_cast<std::uint32_t>(offset));
  return out;
}

}  // namespace reelway::origin::hls
