#include "origin/hls/protected_init.h"

#include "common/base/check.h"
#include "origin/hls/whole_segment.h"
#include "origin/mp4/box.h"

namespace reelway::origin::hls {
namespace {

using mp4::BoxScope;
using mp4::four_cc;

constexpr std::uint32_t kSchemeVersion = 0x10000;
constexpr std::uint8_t kVideoPattern = 0x19;  // one block encrypted, nine not

// Version 1 of tenc has a pattern; with a constant IV its size follows instead of that of the samples' IVs.
void write_tenc(ByteWriter& out, Protection protection, bool video, const ContentKey& key) {
  const bool cbcs = protection == Protection::cbcs;
  const BoxScope tenc(out, four_cc("tenc"), cbcs ? 1 : 0, 0);
  out.u8(0);
  out.u8(cbcs && video ? kVideoPattern : 0);
  out.u8(1);  // encrypted
  out.u8(cbcs ? 0 : 8);
  out.append(ByteView(key.id));
  if (!cbcs) return;
  out.u8(static_cast<std::uint8_t>(key.iv.size()));
  out.append(ByteView(key.iv));
}

void write_sinf(ByteWriter& out, mp4::FourCc original, Protection protection, bool video, const ContentKey& key) {
  const BoxScope sinf(out, four_cc("sinf"));
  {
    const BoxScope frma(out, four_cc("frma"));
    out.u32(original);
  }
  {
    const BoxScope schm(out, four_cc("schm"), 0, 0);
    out.u32(protection == Protection::cbcs ? four_cc("cbcs") : four_cc("cenc"));
    out.u32(kSchemeVersion);
  }
  const BoxScope schi(out, four_cc("schi"));
  write_tenc(out, protection, video, key);
}

Bytes protected_entry(const mp4::TrackIndex& index, Protection protection, const ContentKey& key) {
  const bool video = index.kind == mp4::TrackKind::video;
  ByteReader in(index.sample_entry);
  in.u32();
  const mp4::FourCc original = in.u32();
  ByteWriter out;
  {
    const BoxScope entry(out, video ? four_cc("encv") : four_cc("enca"));
    out.append(in.take(in.remaining()));
    write_sinf(out, original, protection, video, key);
  }
  return out.take();
}

Bytes common_pssh(const ContentKey& key) {
  ByteWriter out;
  {
    const BoxScope pssh(out, four_cc("pssh"), 1, 0);
    out.append(ByteView(kCommonSystem));
    out.u32(1);
    out.append(ByteView(key.id));
    out.u32(0);
  }
  return out.take();
}

}  // namespace

Bytes protected_init_segment(const Track& track, Packaging packaging, const ContentKey& key, ByteView provider_boxes) {
  const Protection protection = traits(packaging).protection;
  if (protection == Protection::whole_segment) return encrypt_whole(init_segment(track), key);
  CHECK(protection == Protection::cbcs || protection == Protection::cenc);
  Bytes boxes = common_pssh(key);
  boxes.insert(boxes.end(), provider_boxes.begin(), provider_boxes.end());
  return init_segment(track, protected_entry(*track.index, protection, key), boxes);
}

}  // namespace reelway::origin::hls
