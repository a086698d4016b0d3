#include <cstdio>
#include <optional>

#include "origin/hls/presentation.h"
#include "origin/mp4/box.h"
#include "origin/mp4/track_boxes.h"

// Model: an init segment is ftyp and a moov without samples. Fields that say "how long" are 0 where a fragmented file
// has them elsewhere; mehd has the real one, because players take a file without it for a live stream.

namespace reelway::origin::hls {
namespace {

using mp4::BoxScope;
using mp4::four_cc;
using mp4::TrackIndex;

constexpr std::uint32_t kUtf8Text = 1;  // type of an iTunes data box

void write_ftyp(ByteWriter& out) {
  const BoxScope ftyp(out, four_cc("ftyp"));
  out.u32(four_cc("iso6"));
  out.u32(0);
  for (const mp4::FourCc brand : {four_cc("iso6"), four_cc("cmfc"), four_cc("mp41")}) out.u32(brand);
}

void write_empty_table(ByteWriter& out, mp4::FourCc type, std::size_t zeros) {
  const BoxScope table(out, type, 0, 0);
  out.zeros(zeros);
}

void write_empty_tables(ByteWriter& out) {
  write_empty_table(out, four_cc("stts"), 4);
  write_empty_table(out, four_cc("stsc"), 4);
  write_empty_table(out, four_cc("stsz"), 8);
  write_empty_table(out, four_cc("stco"), 4);
}

// How much of the decoded AAC is not the film's: the encoder's priming before it and the rest of the last frame after.
struct Gapless {
  std::uint64_t priming = 0;
  std::uint64_t samples = 0;
  std::uint64_t remainder = 0;
};

std::optional<Gapless> gapless_of(const TrackIndex& index) {
  const bool counts_samples = index.timescale == index.sample_rate;
  if (!index.codecs.starts_with("mp4a.40.") || !counts_samples || index.edit_start <= 0) return std::nullopt;
  Gapless gapless{static_cast<std::uint64_t>(index.edit_start), index.edit_duration, 0};
  const std::uint64_t decoded = index.samples.size() * std::uint64_t{index.samples.front().duration};
  const std::uint64_t used = gapless.priming + gapless.samples;
  gapless.remainder = decoded > used ? decoded - used : 0;
  return gapless;
}

// FFmpeg does not skip what an edit list takes away from a fragmented track, but it does heed iTunes' note of the
// same fact, which Apple's own files carry beside their edit lists.
void write_gapless_note(ByteWriter& out, const Gapless& gapless) {
  char note[160];
  std::snprintf(note, sizeof note, " 00000000 %08llX %08llX %016llX", static_cast<unsigned long long>(gapless.priming),
                static_cast<unsigned long long>(gapless.remainder), static_cast<unsigned long long>(gapless.samples));
  std::string text = note;
  for (int i = 0; i < 8; ++i) text += " 00000000";
  const BoxScope custom(out, four_cc("----"));
  {
    const BoxScope mean(out, four_cc("mean"), 0, 0);
    out.append(std::string_view("com.apple.iTunes"));
  }
  {
    const BoxScope name(out, four_cc("name"), 0, 0);
    out.append(std::string_view("iTunSMPB"));
  }
  const BoxScope data(out, four_cc("data"), 0, kUtf8Text);
  out.u32(0);  // locale
  out.append(text);
}

void write_udta(ByteWriter& out, const TrackIndex& index) {
  const auto gapless = gapless_of(index);
  if (!gapless) return;
  const BoxScope udta(out, four_cc("udta"));
  const BoxScope meta(out, four_cc("meta"), 0, 0);
  {
    const BoxScope hdlr(out, four_cc("hdlr"), 0, 0);
    out.u32(0);
    out.u32(four_cc("mdir"));
    out.u32(four_cc("appl"));
    out.zeros(9);
  }
  const BoxScope ilst(out, four_cc("ilst"));
  write_gapless_note(out, *gapless);
}

void write_mvex(ByteWriter& out, const TrackIndex& index) {
  const BoxScope mvex(out, four_cc("mvex"));
  {
    const BoxScope mehd(out, four_cc("mehd"), 1, 0);
    out.u64(index.edit_duration);
  }
  const BoxScope trex(out, four_cc("trex"), 0, 0);
  out.u32(mp4::kTrackId);
  out.u32(1);
  out.zeros(12);
}

}  // namespace

Bytes init_segment(const Track& track, ByteView sample_entry, ByteView protection_boxes) {
  ByteWriter out;
  write_ftyp(out);
  {
    const BoxScope moov(out, four_cc("moov"));
    mp4::write_mvhd(out, *track.index, {});
    mp4::write_trak(out, *track.index, {}, write_empty_tables, sample_entry);
    write_mvex(out, *track.index);
    out.append(protection_boxes);
    write_udta(out, *track.index);
  }
  return out.take();
}

}  // namespace reelway::origin::hls
