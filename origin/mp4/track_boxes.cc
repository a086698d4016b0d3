#include "origin/mp4/track_boxes.h"

#include "origin/mp4/box.h"
#include "origin/mp4/language.h"

namespace reelway::origin::mp4 {
namespace {

constexpr std::uint32_t kUnity = 0x10000;
constexpr std::uint32_t kTrackEnabledInMovieAndPreview = 7;
constexpr std::uint32_t kDataInSameFile = 1;

// Version 1 of a box has 64 bits for its times.
bool is_wide(std::uint64_t time) {
  return time > UINT32_MAX;
}

void write_time(ByteWriter& out, std::uint64_t time, bool wide) {
  if (wide)
    out.u64(time);
  else
    out.u32(static_cast<std::uint32_t>(time));
}

void write_matrix(ByteWriter& out) {
  for (const std::uint32_t value : {kUnity, 0u, 0u, 0u, kUnity, 0u, 0u, 0u, 0x40000000u}) out.u32(value);
}

void write_tkhd(ByteWriter& out, const TrackIndex& index, std::uint64_t duration) {
  const bool wide = is_wide(duration);
  const BoxScope tkhd(out, four_cc("tkhd"), wide ? 1 : 0, kTrackEnabledInMovieAndPreview);
  out.zeros(wide ? 16 : 8);  // created, changed
  out.u32(kTrackId);
  out.zeros(4);
  write_time(out, duration, wide);
  out.zeros(8 + 2 + 2);
  out.u16(index.kind == TrackKind::audio ? 0x100 : 0);
  out.u16(0);
  write_matrix(out);
  out.u32(index.width << 16);
  out.u32(index.height << 16);
}

// The edit list says which media time is presented first: it takes away the delay that B-frames need and the priming
// samples of AAC.
void write_edts(ByteWriter& out, const TrackIndex& index, std::uint64_t duration) {
  if (index.edit_start <= 0) return;
  const BoxScope edts(out, four_cc("edts"));
  const bool wide = index.edit_start > INT32_MAX || is_wide(duration);
  const BoxScope elst(out, four_cc("elst"), wide ? 1 : 0, 0);
  out.u32(1);
  write_time(out, duration, wide);
  if (wide)
    out.i64(index.edit_start);
  else
    out.i32(static_cast<std::int32_t>(index.edit_start));
  out.u32(kUnity);
}

void write_mdhd(ByteWriter& out, const TrackIndex& index, std::uint64_t duration) {
  const bool wide = is_wide(duration);
  const BoxScope mdhd(out, four_cc("mdhd"), wide ? 1 : 0, 0);
  out.zeros(wide ? 16 : 8);
  out.u32(index.timescale);
  write_time(out, duration, wide);
  out.u16(packed_language(index.language));
  out.u16(0);
}

void write_hdlr(ByteWriter& out, const TrackIndex& index) {
  const BoxScope hdlr(out, four_cc("hdlr"), 0, 0);
  const bool video = index.kind == TrackKind::video;
  out.u32(0);
  out.u32(video ? four_cc("vide") : four_cc("soun"));
  out.zeros(12);
  out.append(std::string_view(video ? "video" : "audio"));
  out.u8(0);
}

void write_dinf(ByteWriter& out) {
  const BoxScope dinf(out, four_cc("dinf"));
  const BoxScope dref(out, four_cc("dref"), 0, 0);
  out.u32(1);
  const BoxScope url(out, four_cc("url "), 0, kDataInSameFile);
}

void write_stbl(ByteWriter& out, ByteView sample_entry, const std::function<void(ByteWriter&)>& write_tables) {
  const BoxScope stbl(out, four_cc("stbl"));
  {
    const BoxScope stsd(out, four_cc("stsd"), 0, 0);
    out.u32(1);
    out.append(sample_entry);
  }
  write_tables(out);
}

void write_media_header(ByteWriter& out, TrackKind kind) {
  if (kind == TrackKind::video) {
    const BoxScope vmhd(out, four_cc("vmhd"), 0, 1);
    out.zeros(8);
  } else {
    const BoxScope smhd(out, four_cc("smhd"), 0, 0);
    out.zeros(4);
  }
}

}  // namespace

void write_mvhd(ByteWriter& out, const TrackIndex& index, const StatedDurations& durations) {
  const bool wide = is_wide(durations.presentation);
  const BoxScope mvhd(out, four_cc("mvhd"), wide ? 1 : 0, 0);
  out.zeros(wide ? 16 : 8);
  out.u32(index.timescale);
  write_time(out, durations.presentation, wide);
  out.u32(kUnity);  // rate
  out.u16(0x100);   // volume
  out.zeros(10);
  write_matrix(out);
  out.zeros(24);
  out.u32(kTrackId + 1);
}

void write_trak(ByteWriter& out, const TrackIndex& index, const StatedDurations& durations,
                const std::function<void(ByteWriter&)>& write_tables, ByteView sample_entry) {
  const BoxScope trak(out, four_cc("trak"));
  write_tkhd(out, index, durations.presentation);
  write_edts(out, index, durations.presentation);
  const BoxScope mdia(out, four_cc("mdia"));
  write_mdhd(out, index, durations.media);
  write_hdlr(out, index);
  const BoxScope minf(out, four_cc("minf"));
  write_media_header(out, index.kind);
  write_dinf(out);
  write_stbl(out, sample_entry.empty() ? ByteView(index.sample_entry) : sample_entry, write_tables);
}

}  // namespace reelway::origin::mp4
