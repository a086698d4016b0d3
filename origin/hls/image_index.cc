#include "common/base/crc32c.h"
#include "origin/hls/bif.h"
#include "origin/hls/image_track.h"

// The stored form of an image index: docs/formats/thumbnails.md.

namespace reelway::origin::hls {
namespace {

constexpr std::uint32_t kMagic = 0x5257494D;  // "RWIM"
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kImageBytes = 8;
constexpr std::size_t kSumBytes = 4;
constexpr std::uint64_t kFileBytesMax = UINT32_MAX;  // offsets of a BIF have 32 bits
constexpr std::uint64_t kDurationMax_ms = 24ull * 3600 * 1000;

Error corrupt(const std::string& what) {
  return {ErrorCode::stored_data_corrupt, Side::disk, false, "an index of thumbnails: " + what};
}

void write_images(ByteWriter& out, const std::vector<StoredImage>& images) {
  for (const StoredImage& image : images) {
    out.u32(image.bytes);
    out.u32(image.crc32c);
  }
}

// Whether all of them fit a file, and none is empty.
bool read_images(ByteReader& in, std::size_t count, std::vector<StoredImage>& images) {
  std::uint64_t sum = 0;
  images.resize(count);
  for (StoredImage& image : images) {
    image.bytes = in.u32();
    image.crc32c = in.u32();
    sum += image.bytes;
    if (image.bytes == 0) return false;
  }
  return sum + bif_head_bytes(count) <= kFileBytesMax;
}

bool is_within(std::uint32_t value, std::uint32_t max) {
  return value >= 1 && value <= max;
}

bool is_sound(const ImageIndex& index, std::uint32_t images) {
  return is_within(index.width, kImageSideMax) && is_within(index.height, kImageSideMax) &&
         is_within(index.columns, kSheetSideMax) && is_within(index.rows, kSheetSideMax) &&
         is_within(index.interval_ms, UINT32_MAX) && is_within(images, kImagesMax) && index.duration_ms >= 1 &&
         index.duration_ms <= kDurationMax_ms;
}

}  // namespace

Bytes serialize_image_index(const ImageIndex& index) {
  ByteWriter out;
  out.u32(kMagic);
  out.u16(kVersion);
  out.u16(static_cast<std::uint16_t>(index.columns));
  out.u16(static_cast<std::uint16_t>(index.rows));
  out.u16(0);
  out.u32(index.width);
  out.u32(index.height);
  out.u32(index.interval_ms);
  out.u64(index.duration_ms);
  out.u32(static_cast<std::uint32_t>(index.images.size()));
  write_images(out, index.sheets);
  write_images(out, index.images);
  out.u32(crc32c(out.bytes()));
  return out.take();
}

Result<ImageIndex> parse_image_index(ByteView bytes) {
  ByteReader in(bytes);
  const std::uint32_t magic = in.u32();
  const std::uint16_t version = in.u16();
  ImageIndex index;
  index.columns = in.u16();
  index.rows = in.u16();
  in.skip(2);
  index.width = in.u32();
  index.height = in.u32();
  index.interval_ms = in.u32();
  index.duration_ms = in.u64();
  const std::uint32_t images = in.u32();
  if (in.failed() || in.remaining() < kSumBytes) return corrupt("it is cut short");
  if (magic != kMagic) return corrupt("it does not begin with RWIM");
  if (version != kVersion) return corrupt("it has another format than 1");
  if (ByteReader(bytes.last(kSumBytes)).u32() != crc32c(bytes.first(bytes.size() - kSumBytes))) {
    return corrupt("its CRC-32C does not fit its bytes");
  }
  if (!is_sound(index, images)) return corrupt("its sizes are out of bounds");
  const std::uint32_t sheets = (images + index.per_sheet() - 1) / index.per_sheet();
  if (in.remaining() != (std::size_t{sheets} + images) * kImageBytes + kSumBytes) {
    return corrupt("its tables do not fit its length");
  }
  if (!read_images(in, sheets, index.sheets) || !read_images(in, images, index.images)) {
    return corrupt("a picture has an impossible length");
  }
  return index;
}

}  // namespace reelway::origin::hls
