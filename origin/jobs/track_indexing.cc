#include "origin/jobs/track_indexing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

#include "common/base/crc32c.h"
#include "common/base/unique_fd.h"
#include "origin/ingest/durable_files.h"
#include "origin/mp4/box.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kPiece = 1 << 20;
constexpr std::uint64_t kMoovMax = 512ull << 20;

Result<Bytes> read_range(int file, const std::string& path, std::uint64_t offset, std::size_t count) {
  Bytes bytes(count);
  for (std::size_t have = 0; have < count;) {
    const ssize_t got = ::pread(file, bytes.data() + have, count - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path, errno);
    if (got == 0) return Error{ErrorCode::mp4_malformed, Side::self, false, path + " ends early"};
    have += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<std::uint32_t> sum_of(int file, const std::string& path, const mp4::Unit& unit) {
  std::uint32_t crc = 0;
  for (std::uint64_t done = 0; done < unit.file_bytes;) {
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, unit.file_bytes - done));
    const Result<Bytes> piece = read_range(file, path, unit.file_offset + done, count);
    if (!piece.ok()) return piece.error();
    crc = crc32c(*piece, crc);
    done += count;
  }
  return crc;
}

Error differs(const std::string& track, const std::string& what, std::uint64_t is, std::uint64_t planned) {
  return {ErrorCode::transcode_failed, Side::self, false,
          track + ": " + what + " is " + std::to_string(is) + ", planned " + std::to_string(planned)};
}

Result<void> check_video(const mp4::TrackIndex& index, const EncodePlan& plan, const Rung& rung) {
  if (index.kind != mp4::TrackKind::video) return differs(rung.track_id, "number of video tracks", 0, 1);
  if (index.samples.size() < plan.frames) {
    return Error{ErrorCode::media_truncated, Side::client, false,
                 "only " + std::to_string(index.samples.size()) + " of " + std::to_string(plan.frames) +
                     " pictures could be decoded"};
  }
  if (index.samples.size() > plan.frames) return differs(rung.track_id, "frames", index.samples.size(), plan.frames);
  if (index.width != rung.width) return differs(rung.track_id, "width", index.width, rung.width);
  if (index.height != rung.height) return differs(rung.track_id, "height", index.height, rung.height);
  // Closed groups stay together in decode order, so each unit begins at a multiple. (A short last group is part of the
  // unit before it.)
  for (std::size_t unit = 0; unit < index.units.size(); ++unit) {
    const std::uint64_t first = index.units[unit].first_sample;
    if (first != unit * plan.group_frames) return differs(rung.track_id, "key frame", first, unit * plan.group_frames);
  }
  const std::uint64_t groups = (plan.frames + plan.group_frames - 1) / plan.group_frames;
  if (index.units.size() + 1 < groups) return differs(rung.track_id, "groups", index.units.size(), groups);
  return {};
}

Result<void> check_audio(const mp4::TrackIndex& index, const EncodePlan& plan, const AudioOutput& audio) {
  const SoundFormat& format = sound_format(audio.codec);
  const std::string& track = audio.track_id;
  if (index.kind != mp4::TrackKind::audio) return differs(track, "number of audio tracks", 0, 1);
  if (!index.codecs.starts_with(format.codecs)) {
    return Error{ErrorCode::transcode_failed, Side::self, false, track + ": the codec is " + index.codecs};
  }
  if (index.sample_rate != kAudioRate) return differs(track, "sample rate", index.sample_rate, kAudioRate);
  if (index.timescale != kAudioRate) return differs(track, "timescale", index.timescale, kAudioRate);
  if (index.channels != format.channels) return differs(track, "number of channels", index.channels, format.channels);
  if (index.samples.front().duration != format.frame_samples) {
    return differs(track, "frame", index.samples.front().duration, format.frame_samples);
  }
  const std::uint64_t planned = plan.audio_samples();
  if (index.edit_duration + format.frame_samples < planned || index.edit_duration > planned + format.frame_samples) {
    return differs(track, "samples", index.edit_duration, planned);
  }
  return {};
}

// The files of one output, made durable.
Result<TrackRecord> keep(const EncodePlan& plan, const std::string& track_id, const mp4::TrackIndex& index) {
  TrackRecord record;
  record.id = track_id;
  record.file = track_file(track_id);
  record.index = track_index_file(track_id);
  record.bytes = index.file_bytes;
  const Bytes bytes = mp4::serialize_index(index);
  REELWAY_TRY(write_durably(plan.output_folder + "/" + record.index, bytes.data(), bytes.size()));
  REELWAY_TRY(sync_file(plan.output_folder + "/" + record.file));
  return record;
}

}  // namespace

Result<mp4::TrackIndex> read_track(const std::string& path, const mp4::Cuts* cuts) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) return system_error("open", path, errno);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const Result<mp4::BoxRange> place = mp4::find_moov(
      size, [&](std::uint64_t offset, std::size_t count) { return read_range(file.get(), path, offset, count); });
  if (!place.ok()) return place.error();
  if (place->bytes > kMoovMax) {
    return Error{ErrorCode::mp4_malformed, Side::self, false, path + ": moov of " + std::to_string(place->bytes)};
  }
  const Result<Bytes> moov = read_range(file.get(), path, place->offset, static_cast<std::size_t>(place->bytes));
  if (!moov.ok()) return moov.error();
  return mp4::index_from_moov(*moov, size, cuts);
}

Result<mp4::TrackIndex> index_track(const std::string& path, const mp4::Cuts* cuts) {
  Result<mp4::TrackIndex> index = read_track(path, cuts);
  if (!index.ok()) return index;
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error("open", path, errno);
  for (std::size_t unit = 0; unit < index->units.size(); ++unit) {
    const Result<std::uint32_t> crc = sum_of(file.get(), path, index->units[unit]);
    if (!crc.ok()) return crc.error();
    mp4::set_unit_crc(*index, unit, *crc);
  }
  return index;
}

Result<void> check_units(const std::string& path, const mp4::TrackIndex& index) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error("open", path, errno);
  for (std::size_t unit = 0; unit < index.units.size(); ++unit) {
    const Result<std::uint32_t> crc = sum_of(file.get(), path, index.units[unit]);
    if (!crc.ok()) return crc.error();
    if (*crc == index.units[unit].crc32c) continue;
    return Error{
        ErrorCode::verification_failed, Side::disk, false,
        path.substr(path.rfind('/') + 1) + ": unit " + std::to_string(unit) + " has changed since it was indexed"};
  }
  return {};
}

Result<std::vector<TrackRecord>> index_outputs(const EncodePlan& plan) {
  std::vector<TrackRecord> records;
  std::optional<mp4::TrackIndex> reference;
  for (const Rung& rung : plan.rungs) {
    Result<mp4::TrackIndex> index = index_track(plan.output_folder + "/" + track_file(rung.track_id), nullptr);
    if (!index.ok()) return std::move(index).error();
    REELWAY_TRY(check_video(*index, plan, rung));
    if (reference) REELWAY_TRY(mp4::check_aligned(*reference, *index));
    Result<TrackRecord> record = keep(plan, rung.track_id, *index);
    if (!record.ok()) return std::move(record).error();
    record->target_bits = rung.bits_per_second;
    record->table_bits = rung.table_bits;
    records.push_back(std::move(record).value());
    if (!reference) reference = std::move(index).value();
  }
  const mp4::Cuts cuts = mp4::cuts_of(*reference);
  for (const AudioOutput& audio : plan.audio) {
    Result<mp4::TrackIndex> index = index_track(plan.output_folder + "/" + track_file(audio.track_id), &cuts);
    if (!index.ok()) return std::move(index).error();
    index->language = audio.language;
    REELWAY_TRY(check_audio(*index, plan, audio));
    // Frames of AC-3 are always whole: the last one may go on after the film's end.
    index->edit_duration = std::min(index->edit_duration, plan.audio_samples());
    Result<TrackRecord> record = keep(plan, audio.track_id, *index);
    if (!record.ok()) return std::move(record).error();
    record->name = audio.name;
    record->is_default = audio.is_default;
    record->level = audio.level;
    records.push_back(std::move(record).value());
  }
  REELWAY_TRY(sync_folder(plan.output_folder));
  return records;
}

}  // namespace reelway::origin
