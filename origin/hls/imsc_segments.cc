#include "origin/hls/imsc_segments.h"

#include <cstdio>

#include "common/base/check.h"
#include "origin/hls/multivariant_playlist.h"
#include "origin/hls/text_segments.h"
#include "origin/hls/timeline.h"
#include "origin/mp4/box.h"
#include "origin/mp4/language.h"
#include "origin/mp4/track_boxes.h"
#include "origin/text/ttml_document.h"

// Model: a track of samples that follow each other without a gap, each a whole document that stands for the time of its
// segment. Times in documents are those of the film, which the track's own timeline is, too; players show of a document
// only what falls into its sample (ISO/IEC 14496-30 section 5.2), so what reaches over a boundary stands in both.

namespace reelway::origin::hls {
namespace {

using mp4::BoxScope;
using mp4::four_cc;

constexpr std::uint32_t kTimescale = 1'000'000;
constexpr std::string_view kNamespace = "http://www.w3.org/ns/ttml";
constexpr std::uint32_t kUnity = 0x10000;
constexpr std::uint32_t kEnabled = 7;
constexpr std::uint32_t kTfhdDuration = 0x8, kTfhdSize = 0x10, kTfhdFlags = 0x20, kTfhdBaseIsMoof = 0x20000;
constexpr std::uint32_t kSyncFlags = 0x02000000;
constexpr std::uint32_t kTrunDataOffset = 0x1;

void write_text(ByteWriter& out, std::string_view text) {
  out.append(text);
  out.u8(0);
}

void write_matrix(ByteWriter& out) {
  for (const std::uint32_t value : {kUnity, 0u, 0u, 0u, kUnity, 0u, 0u, 0u, 0x40000000u}) out.u32(value);
}

void write_mvhd(ByteWriter& out) {
  const BoxScope mvhd(out, four_cc("mvhd"), 0, 0);
  out.zeros(8);
  out.u32(kTimescale);
  out.u32(0);
  out.u32(kUnity);
  out.zeros(2 + 2 + 8);
  write_matrix(out);
  out.zeros(24);
  out.u32(mp4::kTrackId + 1);
}

void write_stbl(ByteWriter& out) {
  const BoxScope stbl(out, four_cc("stbl"));
  {
    const BoxScope stsd(out, four_cc("stsd"), 0, 0);
    out.u32(1);
    const BoxScope stpp(out, four_cc("stpp"));
    out.zeros(6);
    out.u16(1);
    write_text(out, kNamespace);
    write_text(out, "");  // schema location
    write_text(out, "");  // types of what documents refer to: nothing
  }
  for (const mp4::FourCc table : {four_cc("stts"), four_cc("stsc"), four_cc("stco")}) {
    const BoxScope box(out, table, 0, 0);
    out.u32(0);
  }
  const BoxScope stsz(out, four_cc("stsz"), 0, 0);
  out.zeros(8);
}

void write_mdia(ByteWriter& out, const TextTrack& track) {
  const BoxScope mdia(out, four_cc("mdia"));
  {
    const BoxScope mdhd(out, four_cc("mdhd"), 0, 0);
    out.zeros(8);
    out.u32(kTimescale);
    out.u32(0);
    out.u16(mp4::packed_language(std::string_view(track.language).substr(0, track.language.find('-'))));
    out.u16(0);
  }
  {
    const BoxScope hdlr(out, four_cc("hdlr"), 0, 0);
    out.u32(0);
    out.u32(four_cc("subt"));
    out.zeros(12);
    write_text(out, "subtitles");
  }
  const BoxScope minf(out, four_cc("minf"));
  { const BoxScope sthd(out, four_cc("sthd"), 0, 0); }
  {
    const BoxScope dinf(out, four_cc("dinf"));
    const BoxScope dref(out, four_cc("dref"), 0, 0);
    out.u32(1);
    const BoxScope url(out, four_cc("url "), 0, 1);
  }
  write_stbl(out);
}

void write_trak(ByteWriter& out, const TextTrack& track) {
  const BoxScope trak(out, four_cc("trak"));
  {
    const BoxScope tkhd(out, four_cc("tkhd"), 0, kEnabled);
    out.zeros(8);
    out.u32(mp4::kTrackId);
    out.zeros(4 + 4 + 8 + 2 + 2 + 2 + 2);
    write_matrix(out);
    out.zeros(8);
  }
  write_mdia(out, track);
}

void write_mvex(ByteWriter& out, std::uint64_t duration) {
  const BoxScope mvex(out, four_cc("mvex"));
  {
    const BoxScope mehd(out, four_cc("mehd"), 1, 0);
    out.u64(duration);
  }
  const BoxScope trex(out, four_cc("trex"), 0, 0);
  out.u32(mp4::kTrackId);
  out.u32(1);
  out.zeros(12);
}

// The header of a segment whose one sample has so many bytes.
Bytes segment_header(std::uint32_t segment, std::uint64_t from, std::uint64_t to, std::size_t bytes) {
  ByteWriter out;
  {
    const BoxScope styp(out, four_cc("styp"));
    out.u32(four_cc("msdh"));
    out.u32(0);
    out.u32(four_cc("msdh"));
    out.u32(four_cc("cmfc"));
  }
  const std::size_t moof_at = out.size();
  std::size_t offset_at = 0;
  {
    const BoxScope moof(out, four_cc("moof"));
    {
      const BoxScope mfhd(out, four_cc("mfhd"), 0, 0);
      out.u32(segment + 1);
    }
    const BoxScope traf(out, four_cc("traf"));
    {
      const BoxScope tfhd(out, four_cc("tfhd"), 0, kTfhdBaseIsMoof | kTfhdDuration | kTfhdSize | kTfhdFlags);
      out.u32(mp4::kTrackId);
      out.u32(static_cast<std::uint32_t>(to - from));
      out.u32(static_cast<std::uint32_t>(bytes));
      out.u32(kSyncFlags);
    }
    {
      const BoxScope tfdt(out, four_cc("tfdt"), 1, 0);
      out.u64(from);
    }
    const BoxScope trun(out, four_cc("trun"), 0, kTrunDataOffset);
    out.u32(1);
    offset_at = out.size();
    out.u32(0);
  }
  out.patch_u32(offset_at, static_cast<std::uint32_t>(out.size() - moof_at + 8));
  out.u32(static_cast<std::uint32_t>(bytes + 8));
  out.u32(four_cc("mdat"));
  return out.take();
}

std::string seconds(std::uint64_t microseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%llu.%06llu", static_cast<unsigned long long>(microseconds / kTimescale),
                static_cast<unsigned long long>(microseconds % kTimescale));
  return text;
}

}  // namespace

std::string imsc_playlist(const Presentation& presentation) {
  std::string text =
      "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:" + std::to_string(target_seconds(presentation)) +
      "\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI=\"init.mp4\"\n";
  const std::vector<std::uint64_t> starts = text_boundaries(presentation);
  for (std::size_t n = 0; n + 1 < starts.size(); ++n) {
    text += "#EXTINF:" + seconds(starts[n + 1] - starts[n]) + ",\n" + std::to_string(n) + ".m4s\n";
  }
  return text + "#EXT-X-ENDLIST\n";
}

Bytes imsc_init(const Presentation& presentation, const TextTrack& track) {
  ByteWriter out;
  {
    const BoxScope ftyp(out, four_cc("ftyp"));
    out.u32(four_cc("iso6"));
    out.u32(0);
    for (const mp4::FourCc brand : {four_cc("iso6"), four_cc("cmfc"), four_cc("im1t")}) out.u32(brand);
  }
  {
    const BoxScope moov(out, four_cc("moov"));
    write_mvhd(out);
    write_trak(out, track);
    write_mvex(out, text_boundaries(presentation).back());
  }
  return out.take();
}

Result<std::string> imsc_segment(const Presentation& presentation, const TextTrack& track, std::uint32_t segment) {
  const std::vector<std::uint64_t> starts = text_boundaries(presentation);
  if (segment + std::size_t{1} >= starts.size()) {
    return Error{ErrorCode::http_not_found, Side::client, false,
                 "segment " + std::to_string(segment) + ", the track has " + std::to_string(starts.size() - 1)};
  }
  CHECK(track.ttml != nullptr);
  const std::string document = text::write_ttml(*track.ttml, starts[segment], starts[segment + 1]);
  const Bytes header = segment_header(segment, starts[segment], starts[segment + 1], document.size());
  return std::string(as_text(header)) + document;
}

std::vector<Rendition> imsc_renditions(const Presentation& presentation, Packaging packaging) {
  if (traits(packaging).container != Container::fmp4) return {};
  std::vector<Rendition> renditions = text_renditions(presentation);
  bool has_any = false;
  for (std::size_t i = 0; i < renditions.size(); ++i) {
    renditions[i].group = kImscGroup;
    if (presentation.texts[i].ttml == nullptr) continue;
    has_any = true;
    renditions[i].playlist = "imsc.m3u8";
  }
  return has_any ? renditions : std::vector<Rendition>();
}

}  // namespace reelway::origin::hls
