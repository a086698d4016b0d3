#include "origin/request/image_source.h"

#include <vector>

#include "common/base/crc32c.h"
#include "origin/hls/bif.h"
#include "origin/hls/image_playlists.h"

namespace reelway::origin {
namespace {

// Pictures that follow one another from `offset`.
void add_units(std::uint64_t offset, const std::vector<hls::StoredImage>& images, std::vector<mp4::Unit>& units) {
  for (const hls::StoredImage& image : images) {
    const auto number = static_cast<std::uint32_t>(units.size());
    units.push_back({number, 1, number, offset, image.bytes, image.crc32c});
    offset += image.bytes;
  }
}

}  // namespace

Result<ImageSource> image_source(const PublishedVersion& version, std::size_t position, const hls::Resource& resource) {
  const hls::ImageIndex& index = *version.presentation.images[position].index;
  const ImageFiles& files = version.image_files[position];
  ImageSource source;
  std::vector<mp4::Unit> units;
  hls::ImageRange range = hls::image_bif(index);
  if (resource.kind == hls::Resource::Kind::image_bif) {
    const Bytes head = hls::bif_head(index);
    source.path = files.bif;
    units.push_back({0, 1, 0, 0, head.size(), crc32c(head)});
    add_units(head.size(), index.images, units);
  } else {
    const Result<hls::ImageRange> sheet = hls::image_sheet(index, resource.segment);
    if (!sheet.ok()) return sheet.error();
    range = *sheet;
    source.path = files.sheets;
    add_units(0, index.sheets, units);
  }
  source.file_bytes = units.back().file_offset + units.back().file_bytes;
  source.units = std::make_shared<const mp4::UnitTable>(units, 1);
  source.offset = range.offset;
  source.bytes = range.bytes;
  source.crc32c = range.crc32c;
  return source;
}

}  // namespace reelway::origin
