#include "origin/catalog/side_files.h"

#include <sys/stat.h>

#include <cerrno>

#include "common/base/crc32c.h"
#include "origin/catalog/published_version.h"
#include "origin/hls/bif.h"
#include "origin/text/text_sheet.h"

namespace reelway::origin {
namespace {

constexpr std::uint64_t kTextFileBytesMax = 32 << 20;
constexpr std::uint64_t kImageIndexBytesMax = 1 << 20;

Error at(Error error, const std::string& path) {
  error.detail = path + ": " + error.detail;
  return error;
}

Result<void> check_size(const std::string& path, std::uint64_t expected) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return system_error("stat", path, errno);
  if (static_cast<std::uint64_t>(info.st_size) == expected) return {};
  return Error{ErrorCode::stored_data_corrupt, Side::disk, false,
               path + " has " + std::to_string(info.st_size) + " bytes, its index says " + std::to_string(expected)};
}

std::uint64_t sheets_bytes(const hls::ImageIndex& index) {
  std::uint64_t bytes = 0;
  for (const hls::StoredImage& sheet : index.sheets) bytes += sheet.bytes;
  return bytes;
}

Result<std::shared_ptr<const text::TextSheet>> load_sheet(const KeptFile& file, text::Form form,
                                                          const std::string& folder, std::uint32_t& crc) {
  const std::string path = folder + "/" + file.file;
  const Result<Bytes> bytes = read_whole_file(path, kTextFileBytesMax);
  if (!bytes.ok()) return bytes.error();
  Result<text::TextSheet> sheet = text::TextSheet::parse(*bytes);
  if (!sheet.ok()) return at(std::move(sheet).error(), path);
  if (sheet->form() != form) {
    return Error{ErrorCode::stored_data_corrupt, Side::disk, false, path + " is written in another form"};
  }
  crc = crc32c(*bytes, crc);
  return std::make_shared<const text::TextSheet>(std::move(sheet).value());
}

Result<void> load_text(const TextTrackRecord& record, const std::string& folder, std::uint32_t& crc,
                       PublishedVersion& version) {
  auto cues = load_sheet(record.cues, text::Form::webvtt, folder, crc);
  if (!cues.ok()) return std::move(cues).error();
  hls::TextTrack track{record.id,     record.name,     record.language,
                       record.forced, record.for_deaf, std::move(cues).value()};
  version.index_memory_bytes += track.cues->memory_bytes();
  if (record.ttml) {
    auto ttml = load_sheet(*record.ttml, text::Form::ttml, folder, crc);
    if (!ttml.ok()) return std::move(ttml).error();
    track.ttml = std::move(ttml).value();
    version.index_memory_bytes += track.ttml->memory_bytes();
  }
  version.presentation.texts.push_back(std::move(track));
  return {};
}

Result<void> load_image(const ImageTrackRecord& record, const std::string& folder, std::uint32_t& crc,
                        PublishedVersion& version) {
  const std::string path = folder + "/" + record.index.file;
  const Result<Bytes> bytes = read_whole_file(path, kImageIndexBytesMax);
  if (!bytes.ok()) return bytes.error();
  Result<hls::ImageIndex> index = hls::parse_image_index(*bytes);
  if (!index.ok()) return at(std::move(index).error(), path);
  ImageFiles files{folder + "/" + record.sheets.file, folder + "/" + record.bif.file};
  REELWAY_TRY(check_size(files.sheets, sheets_bytes(*index)));
  REELWAY_TRY(check_size(files.bif, hls::bif_bytes(*index)));
  crc = crc32c(*bytes, crc);
  version.index_memory_bytes +=
      sizeof(hls::ImageIndex) + (index->sheets.capacity() + index->images.capacity()) * sizeof(hls::StoredImage);
  version.image_files.push_back(std::move(files));
  version.presentation.images.push_back({record.id, std::make_shared<const hls::ImageIndex>(std::move(index).value())});
  return {};
}

}  // namespace

Result<std::uint32_t> load_side_files(const VersionRecord& record, const std::string& folder, std::uint32_t crc,
                                      PublishedVersion& version) {
  for (const TextTrackRecord& text : record.texts) REELWAY_TRY(load_text(text, folder, crc, version));
  for (const ImageTrackRecord& image : record.images) REELWAY_TRY(load_image(image, folder, crc, version));
  return crc;
}

}  // namespace reelway::origin
