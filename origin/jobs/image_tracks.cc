#include "origin/jobs/image_tracks.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "common/base/check.h"
#include "common/base/crc32c.h"
#include "common/base/unique_fd.h"
#include "origin/catalog/published_version.h"
#include "origin/hls/bif.h"
#include "origin/hls/image_track.h"
#include "origin/ingest/durable_files.h"
#include "origin/ingest/file_bytes.h"
#include "origin/ingest/sha256.h"
#include "origin/mp4/track_index.h"
#include "origin/transcode/jpeg_cutter.h"
#include "origin/transcode/thumbnails.h"

// Model. One run of ffmpeg makes, of one rendition, files of JPEGs for all widths; of them become the files that are
// served: sheets as they are, pictures behind the head of a BIF, and the index. All of it happens in a folder of the
// job's own, and the index is written last, so after an interruption what has an index is whole and is only linked into
// the version's folder again.

namespace reelway::origin {
namespace {

constexpr std::uint64_t kTrackIndexBytesMax = 256ull << 20;  // as the catalogue reads it
constexpr std::uint64_t kImageIndexBytesMax = 1 << 20;

std::string width_name(std::uint32_t width) {
  return "images-" + std::to_string(width);
}

std::uint32_t even(double value) {
  return std::max<std::uint32_t>(2, static_cast<std::uint32_t>(std::lround(value / 2)) * 2);
}

// The shape of the film, never larger than it is.
std::vector<ThumbnailSize> sizes_of(const Rung& top, const std::vector<std::uint32_t>& widths) {
  std::vector<ThumbnailSize> sizes;
  for (const std::uint32_t wanted : widths) {
    const std::uint32_t width = std::min(wanted, top.width);
    const bool is_there = !sizes.empty() && sizes.back().width == width;
    if (!is_there) sizes.push_back({width, even(static_cast<double>(width) * top.height / top.width)});
  }
  return sizes;
}

// The lowest rendition that is as wide as the widest picture.
std::size_t rendition_for(const EncodePlan& plan, std::uint32_t width) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < plan.rungs.size(); ++i) {
    if (plan.rungs[i].width >= width && plan.rungs[i].width < plan.rungs[best].width) best = i;
  }
  return best;
}

std::vector<double> key_frame_times(const mp4::TrackIndex& index) {
  std::vector<double> times;
  for (std::size_t unit = 0; unit < index.units.size(); ++unit) {
    times.push_back(static_cast<double>(mp4::unit_start(index, unit)) / index.timescale);
  }
  return times;
}

Error unlike(const std::string& what) {
  return {ErrorCode::transcode_failed, Side::self, false, "thumbnails: " + what};
}

Result<std::vector<hls::StoredImage>> images_of(const std::string& path) {
  std::vector<hls::StoredImage> images;
  JpegCutter cutter([&](const JpegCutter::Image& image) { images.push_back({image.bytes, image.crc32c}); });
  REELWAY_TRY(read_pieces(path, 0, [&](ByteView piece) { return cutter.add(piece); }));
  REELWAY_TRY(cutter.finish());
  return images;
}

Result<void> write_bif(const hls::ImageIndex& index, const std::string& images, const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return system_error("create", path, errno);
  REELWAY_TRY(write_all(file.get(), path, hls::bif_head(index)));
  REELWAY_TRY(read_pieces(images, 0, [&](ByteView piece) { return write_all(file.get(), path, piece); }));
  return sync_file(path);
}

// A file as it is served: its sum, and that it holds `crc32c`.
Result<KeptFile> kept(const std::string& folder, const std::string& name, std::uint32_t crc) {
  Sha256 sum;
  std::uint32_t found = 0;
  std::uint64_t bytes = 0;
  REELWAY_TRY(read_pieces(folder + "/" + name, 0, [&](ByteView piece) -> Result<void> {
    sum.add(piece);
    found = crc32c(piece, found);
    bytes += piece.size();
    return {};
  }));
  if (found == crc) return KeptFile{name, bytes, sum.finish()};
  return Error{ErrorCode::verification_failed, Side::disk, false, name + " has changed since it was made"};
}

std::uint32_t crc_of(std::uint32_t crc, const std::vector<hls::StoredImage>& images) {
  for (const hls::StoredImage& image : images) crc = crc32c_combine(crc, image.crc32c, image.bytes);
  return crc;
}

class Maker {
 public:
  Maker(const ImageRequest& request, const TranscodeOptions& options, const StopSignal& stop)
      : request_(request), options_(options), stop_(stop) {}

  Result<std::vector<ImageTrackRecord>> run(const std::function<void(double)>& on_progress, JobCost& cost) {
    REELWAY_TRY(plan());
    if (!is_whole()) REELWAY_TRY(make(on_progress, cost));
    std::vector<ImageTrackRecord> records;
    for (const ThumbnailSize& size : plan_.sizes) {
      Result<ImageTrackRecord> record = take(size);
      if (!record.ok()) return std::move(record).error();
      records.push_back(std::move(record).value());
    }
    return records;
  }

 private:
  Result<void> plan() {
    const EncodePlan& film = request_.plan;
    plan_.folder = request_.work;
    plan_.interval = request_.options.interval;
    plan_.duration_s = film.duration_s();
    plan_.group_s = film.group_frames / film.rate.value();
    plan_.sizes = sizes_of(film.rungs.front(), request_.options.widths);
    const TrackRecord& track = request_.tracks[rendition_for(film, plan_.sizes.back().width)];
    plan_.source = request_.folder + "/" + track.file;
    const Result<Bytes> bytes = read_whole_file(request_.folder + "/" + track.index, kTrackIndexBytesMax);
    if (!bytes.ok()) return bytes.error();
    const Result<mp4::TrackIndex> index = mp4::parse_index(*bytes);
    if (!index.ok()) return index.error();
    plan_.pictures = thumbnail_count(key_frame_times(*index), plan_);
    if (plan_.pictures <= hls::kImagesMax) return {};
    return Error{ErrorCode::media_unsupported, Side::client, false,
                 "the film would have " + std::to_string(plan_.pictures) + " thumbnails"};
  }

  // Made before, in the same way.
  bool is_whole() const {
    return std::all_of(plan_.sizes.begin(), plan_.sizes.end(), [this](const ThumbnailSize& size) {
      const Result<hls::ImageIndex> index = read_index(size);
      return index.ok() && index->height == size.height && index->interval_ms == plan_.interval.count() &&
             index->images.size() == plan_.pictures && index->duration_ms == duration_ms();
    });
  }

  std::uint64_t duration_ms() const { return static_cast<std::uint64_t>(std::llround(plan_.duration_s * 1000)); }
  std::string path(const ThumbnailSize& size, const char* ending) const {
    return request_.work + "/" + width_name(size.width) + ending;
  }

  Result<hls::ImageIndex> read_index(const ThumbnailSize& size) const {
    const Result<Bytes> bytes = read_whole_file(path(size, ".idx"), kImageIndexBytesMax);
    if (!bytes.ok()) return bytes.error();
    return hls::parse_image_index(*bytes);
  }

  Result<void> make(const std::function<void(double)>& on_progress, JobCost& cost) {
    REELWAY_TRY(remove_all(request_.work));
    REELWAY_TRY(make_folders(request_.work));
    const Result<ToolCost> made = make_thumbnails(plan_, options_, stop_, on_progress);
    if (!made.ok()) return made.error();
    cost.cpu_s += made->cpu_s;
    cost.wall_s += made->wall_s;
    for (const ThumbnailSize& size : plan_.sizes) REELWAY_TRY(finish(size, cost));
    return sync_folder(request_.work);
  }

  Result<void> finish(const ThumbnailSize& size, JobCost& cost) {
    const std::string images = request_.work + "/" + thumbnail_images_file(size);
    const std::string sheets = request_.work + "/" + thumbnail_sheets_file(size);
    hls::ImageIndex index;
    index.width = size.width;
    index.height = size.height;
    index.interval_ms = static_cast<std::uint32_t>(plan_.interval.count());
    index.columns = kSheetColumns;
    index.rows = kSheetRows;
    index.duration_ms = duration_ms();
    Result<std::vector<hls::StoredImage>> found = images_of(images);
    if (!found.ok()) return found.error();
    index.images = std::move(found).value();
    found = images_of(sheets);
    if (!found.ok()) return found.error();
    index.sheets = std::move(found).value();
    const std::uint64_t sheets_planned = (plan_.pictures + index.per_sheet() - 1) / index.per_sheet();
    if (index.images.size() != plan_.pictures || index.sheets.size() != sheets_planned) {
      return unlike(std::to_string(index.images.size()) + " pictures on " + std::to_string(index.sheets.size()) +
                    " sheets, " + std::to_string(plan_.pictures) + " on " + std::to_string(sheets_planned) +
                    " were planned");
    }
    const Bytes bytes = hls::serialize_image_index(index);
    if (!hls::parse_image_index(bytes).ok()) return unlike("their index cannot be read back");
    REELWAY_TRY(write_bif(index, images, path(size, ".bif")));
    REELWAY_TRY(move_durably(sheets, path(size, ".sheets")));
    REELWAY_TRY(sync_file(path(size, ".sheets")));
    REELWAY_TRY(remove_all(images));
    cost.bytes += hls::bif_bytes(index) + bytes.size();
    for (const hls::StoredImage& sheet : index.sheets) cost.bytes += sheet.bytes;
    return write_durably(path(size, ".idx"), bytes.data(), bytes.size());
  }

  // The same files under other names: none is ever changed again.
  Result<ImageTrackRecord> take(const ThumbnailSize& size) const {
    const std::string name = width_name(size.width);
    for (const char* ending : {".idx", ".sheets", ".bif"}) {
      const std::string to = request_.folder + "/" + name + ending;
      if (::link(path(size, ending).c_str(), to.c_str()) != 0) return system_error("link", to, errno);
    }
    const Result<hls::ImageIndex> index = read_index(size);
    if (!index.ok()) return index.error();
    ImageTrackRecord record{"images/" + std::to_string(size.width), {}, {}, {}};
    const Bytes bytes = hls::serialize_image_index(*index);
    REELWAY_TRY(set(record.index, name + ".idx", crc32c(bytes)));
    REELWAY_TRY(set(record.sheets, name + ".sheets", crc_of(0, index->sheets)));
    REELWAY_TRY(set(record.bif, name + ".bif", crc_of(crc32c(hls::bif_head(*index)), index->images)));
    return record;
  }

  Result<void> set(KeptFile& file, const std::string& name, std::uint32_t crc) const {
    Result<KeptFile> found = kept(request_.folder, name, crc);
    if (!found.ok()) return std::move(found).error();
    file = std::move(found).value();
    return {};
  }

  const ImageRequest& request_;
  const TranscodeOptions& options_;
  const StopSignal& stop_;
  ThumbnailPlan plan_;
};

}  // namespace

Result<std::vector<ImageTrackRecord>> make_image_tracks(const ImageRequest& request, const TranscodeOptions& options,
                                                        const StopSignal& stop,
                                                        const std::function<void(double)>& on_progress, JobCost& cost) {
  if (request.options.widths.empty()) return std::vector<ImageTrackRecord>();
  CHECK(request.tracks.size() >= request.plan.rungs.size());
  return Maker(request, options, stop).run(on_progress, cost);
}

}  // namespace reelway::origin
