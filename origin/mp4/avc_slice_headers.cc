#include "origin/mp4/avc_slice_headers.h"

#include <algorithm>
#include <array>
#include <string>

#include "origin/mp4/box.h"

// Model: syntax tables read in their order, of which only that is kept on which the length of a slice header depends.
// Names of the standard are in the comments where ours differ.

namespace reelway::origin::mp4 {
namespace {

constexpr unsigned kSlice = 1, kPartitionA = 2, kPartitionC = 4, kIdrSlice = 5, kSps = 7, kPps = 8, kAuxiliary = 19,
                   kDepthExtension = 21;
constexpr std::uint32_t kSpsMax = 32, kPpsMax = 256, kReferencesMax = 32, kCommandsMax = 66;
enum SliceType : std::uint32_t { kP, kB, kI, kSp, kSi };

Error damaged(const std::string& what) {
  return {ErrorCode::stored_data_corrupt, Side::disk, false, "H.264: " + what};
}

bool has_chroma_fields(std::uint32_t profile) {
  constexpr std::array<std::uint32_t, 13> kProfiles = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};
  return std::find(kProfiles.begin(), kProfiles.end(), profile) != kProfiles.end();
}

void skip_scaling_list(NalBits& in, int size) {
  std::int32_t last = 8, next = 8;
  for (int i = 0; i < size && !in.failed(); ++i) {
    if (next != 0) next = (last + in.se() + 256) % 256;
    if (next != 0) last = next;
  }
}

void read_chroma_fields(NalBits& in, AvcSliceHeaders::Sps& sps) {
  const std::uint32_t chroma = in.ue();
  if (chroma == 3) sps.separate_planes = in.flag();
  sps.has_chroma = chroma != 0 && !sps.separate_planes;
  in.ue();  // depths
  in.ue();
  in.flag();
  if (!in.flag()) return;
  for (int i = 0; i < (chroma == 3 ? 12 : 8); ++i) {
    if (in.flag()) skip_scaling_list(in, i < 6 ? 16 : 64);
  }
}

void read_order_fields(NalBits& in, AvcSliceHeaders::Sps& sps) {
  sps.order_type = in.ue();
  if (sps.order_type == 0) sps.order_bits = in.ue() + 4;
  if (sps.order_type != 1) return;
  sps.order_always_zero = in.flag();
  in.se();
  in.se();
  const std::uint32_t cycle = std::min(in.ue(), 255u);
  for (std::uint32_t i = 0; i < cycle; ++i) in.se();
}

AvcSliceHeaders::Sps read_sps(NalBits& in, std::uint32_t& id) {
  AvcSliceHeaders::Sps sps;
  const std::uint32_t profile = in.bits(8);
  in.skip(16);
  id = in.ue();
  if (has_chroma_fields(profile)) read_chroma_fields(in, sps);
  sps.frame_num_bits = in.ue() + 4;
  read_order_fields(in, sps);
  in.ue();
  in.flag();
  const std::uint64_t width = std::uint64_t{in.ue()} + 1;
  sps.map_units = width * (std::uint64_t{in.ue()} + 1);
  sps.frames_only = in.flag();
  return sps;
}

// Which macroblocks belong to which group of slices (section 7.3.2.2).
void read_slice_groups(NalBits& in, AvcSliceHeaders::Pps& pps, std::uint32_t groups) {
  const std::uint32_t type = in.ue();
  if (type == 0) {
    for (std::uint32_t i = 0; i < groups; ++i) in.ue();
  } else if (type == 2) {
    for (std::uint32_t i = 0; i + 1 < groups; ++i) {
      in.ue();
      in.ue();
    }
  } else if (type >= 3 && type <= 5) {
    in.flag();
    pps.slice_group_change_rate = std::uint64_t{in.ue()} + 1;
  } else if (type == 6) {
    const std::uint64_t units = std::uint64_t{in.ue()} + 1;
    for (std::uint64_t i = 0; i < units && !in.failed(); ++i) in.bits(bits_for(groups));
  }
}

AvcSliceHeaders::Pps read_pps(NalBits& in, std::uint32_t& id) {
  AvcSliceHeaders::Pps pps;
  id = in.ue();
  pps.sps = in.ue();
  pps.cabac = in.flag();
  pps.bottom_order = in.flag();
  if (const std::uint32_t groups = std::min(in.ue(), 7u) + 1; groups > 1) read_slice_groups(in, pps, groups);
  pps.l0 = in.ue() + 1;
  pps.l1 = in.ue() + 1;
  pps.weighted = in.flag();
  pps.weighted_bi = in.bits(2);
  in.se();
  in.se();
  in.se();
  pps.deblocking_control = in.flag();
  in.flag();
  pps.redundant_count = in.flag();
  return pps;
}

void skip_list_modification(NalBits& in) {
  if (!in.flag()) return;
  for (std::uint32_t i = 0; i < kCommandsMax && !in.failed(); ++i) {
    if (in.ue() == 3) return;
    in.ue();
  }
}

void skip_weights(NalBits& in, std::uint32_t references, bool chroma) {
  for (std::uint32_t i = 0; i < references && !in.failed(); ++i) {
    if (in.flag()) {
      in.se();
      in.se();
    }
    if (!chroma || !in.flag()) continue;
    for (int value = 0; value < 4; ++value) in.se();
  }
}

void skip_reference_marking(NalBits& in, bool idr) {
  if (idr) {
    in.skip(2);
    return;
  }
  if (!in.flag()) return;
  for (std::uint32_t i = 0; i < kCommandsMax && !in.failed(); ++i) {
    const std::uint32_t command = in.ue();
    if (command == 0) return;
    if (command != 5) in.ue();
    if (command == 3) in.ue();
  }
}

struct Slice {
  const AvcSliceHeaders::Sps& sps;
  const AvcSliceHeaders::Pps& pps;
  std::uint32_t type = kI;
  bool idr = false;
  bool reference = false;

  bool is_b() const { return type == kB; }
  bool is_inter() const { return type == kP || type == kSp || type == kB; }
};

void skip_order(NalBits& in, const Slice& slice) {
  bool field = false;
  in.bits(slice.sps.frame_num_bits);
  if (!slice.sps.frames_only) {
    field = in.flag();
    if (field) in.flag();
  }
  if (slice.idr) in.ue();
  const bool both = slice.pps.bottom_order && !field;
  if (slice.sps.order_type == 0) {
    in.bits(slice.sps.order_bits);
    if (both) in.se();
  } else if (slice.sps.order_type == 1 && !slice.sps.order_always_zero) {
    in.se();
    if (both) in.se();
  }
  if (slice.pps.redundant_count) in.ue();
}

void skip_references(NalBits& in, const Slice& slice) {
  if (slice.is_b()) in.flag();
  std::uint32_t l0 = slice.pps.l0, l1 = slice.pps.l1;
  if (slice.is_inter()) {
    if (in.flag()) {
      l0 = in.ue() + 1;
      if (slice.is_b()) l1 = in.ue() + 1;
    }
    skip_list_modification(in);
    if (slice.is_b()) skip_list_modification(in);
  }
  const bool weighted = slice.is_b() ? slice.pps.weighted_bi == 1 : slice.pps.weighted && slice.is_inter();
  if (weighted) {
    in.ue();
    if (slice.sps.has_chroma) in.ue();
    skip_weights(in, std::min(l0, kReferencesMax), slice.sps.has_chroma);
    if (slice.is_b()) skip_weights(in, std::min(l1, kReferencesMax), slice.sps.has_chroma);
  }
  if (slice.reference) skip_reference_marking(in, slice.idr);
}

void skip_rest(NalBits& in, const Slice& slice) {
  if (slice.pps.cabac && slice.is_inter()) in.ue();
  in.se();
  if (slice.type == kSp) in.flag();
  if (slice.type == kSp || slice.type == kSi) in.se();
  if (slice.pps.deblocking_control && in.ue() != 1) {
    in.se();
    in.se();
  }
  if (const std::uint64_t rate = slice.pps.slice_group_change_rate; rate > 0) {
    in.bits(bits_for((slice.sps.map_units + rate - 1) / rate + 1));
  }
}

}  // namespace

Result<std::unique_ptr<SliceHeaders>> AvcSliceHeaders::from_config(ByteView avcc) {
  auto headers = std::make_unique<AvcSliceHeaders>();
  ByteReader in(avcc);
  in.skip(4);
  headers->length_bytes_ = (in.u8() & 3u) + 1;
  for (const std::uint8_t mask : {std::uint8_t{31}, std::uint8_t{255}}) {  // SPS, then PPS
    const unsigned count = in.u8() & mask;
    for (unsigned i = 0; i < count && !in.failed(); ++i) {
      const std::size_t bytes = in.u16();
      if (const auto kept = headers->keep(in.take(bytes)); !kept) return kept.error();
    }
  }
  if (in.failed()) return malformed(four_cc("avcC"), "cut short");
  return std::unique_ptr<SliceHeaders>(std::move(headers));
}

Result<void> AvcSliceHeaders::keep(ByteView nal) {
  if (nal.empty()) return damaged("an empty parameter set");
  NalBits in(nal.subspan(1));
  std::uint32_t id = 0;
  if ((nal[0] & 31u) == kSps) {
    const Sps sps = read_sps(in, id);
    if (in.failed() || id >= kSpsMax || sps.frame_num_bits > 16 || sps.order_bits > 16)
      return damaged("a malformed SPS");
    sps_[id] = sps;
  } else if ((nal[0] & 31u) == kPps) {
    const Pps pps = read_pps(in, id);
    if (in.failed() || id >= kPpsMax) return damaged("a malformed PPS");
    pps_[id] = pps;
  }
  return {};
}

Result<std::uint64_t> AvcSliceHeaders::clear_bytes(ByteView head, std::uint64_t nal_bytes) {
  if (head.empty()) return damaged("an empty NAL unit");
  const unsigned type = head[0] & 31u;
  if (type == kSlice || type == kIdrSlice) return slice(head);
  if ((type >= kPartitionA && type <= kPartitionC) || (type >= kAuxiliary && type <= kDepthExtension)) {
    return unsupported(four_cc("avc1"), "NAL units of type " + std::to_string(type) + " cannot be protected");
  }
  if ((type == kSps || type == kPps) && head.size() == nal_bytes) REELWAY_TRY(keep(head));
  return nal_bytes;
}

Result<std::uint64_t> AvcSliceHeaders::slice(ByteView head) const {
  NalBits in(head.subspan(1));
  in.ue();
  const std::uint32_t type = in.ue() % 5;
  const auto pps = pps_.find(in.ue());
  if (pps == pps_.end()) return damaged("a slice of an unknown PPS");
  const auto sps = sps_.find(pps->second.sps);
  if (sps == sps_.end()) return damaged("a slice of an unknown SPS");
  const Slice slice{sps->second, pps->second, type, (head[0] & 31u) == kIdrSlice, (head[0] & 0x60u) != 0};
  if (slice.sps.separate_planes) in.bits(2);
  skip_order(in, slice);
  skip_references(in, slice);
  skip_rest(in, slice);
  if (in.failed()) return damaged("a slice header that does not end");
  return 1 + in.bytes_read();
}

}  // namespace reelway::origin::mp4
