#include "origin/mp4/hevc_slice_headers.h"

#include <algorithm>
#include <string>

#include "origin/mp4/box.h"
#include "origin/mp4/hevc_parameter_sets.h"

// Model: as avc_slice_headers.cc. A slice header ends on a whole byte, by its own rule (byte_alignment()).

namespace reelway::origin::mp4 {
namespace {

constexpr std::size_t kNalHeaderBytes = 2;
constexpr unsigned kVclMax = 31, kReservedVcl = 22, kFirstRandomAccess = 16, kIdrWithLeading = 19, kIdr = 20,
                   kReservedRandomAccessMax = 23, kSps = 33, kPps = 34;
constexpr std::uint32_t kReferencesMax = 16, kEntryPointsMax = 16384;
enum SliceType : std::uint32_t { kB, kP, kI };

Error damaged(const std::string& what) {
  return {ErrorCode::stored_data_corrupt, Side::disk, false, "H.265: " + what};
}

unsigned nal_type(ByteView nal) {
  return nal[0] >> 1 & 63u;
}

struct Slice {
  const HevcSliceHeaders::Sps& sps;
  const HevcSliceHeaders::Pps& pps;
  unsigned nal = 0;
  std::uint32_t type = kI;
  std::uint32_t references = 0;  // NumPicTotalCurr
  bool temporal_vectors = false;
  bool adaptive_offset = false;

  bool is_b() const { return type == kB; }
  bool is_inter() const { return type != kI; }
};

std::uint32_t used_count(const std::vector<HevcSliceHeaders::Reference>& references) {
  return static_cast<std::uint32_t>(std::count_if(references.begin(), references.end(),
                                                  [](const HevcSliceHeaders::Reference& one) { return one.used; }));
}

void read_short_term(NalBits& in, Slice& slice) {
  const auto& sets = slice.sps.sets;
  HevcSliceHeaders::ReferenceSet own;
  const HevcSliceHeaders::ReferenceSet* set = &own;
  if (!in.flag()) {
    own = read_reference_set(in, sets, true);
  } else {
    const std::uint32_t number = sets.size() > 1 ? in.bits(bits_for(sets.size())) : 0;
    if (number < sets.size()) set = &sets[number];
  }
  slice.references = used_count(set->before) + used_count(set->after);
}

void read_long_term(NalBits& in, Slice& slice) {
  const auto& known = slice.sps.long_term_used;
  const std::uint32_t of_sps = known.empty() ? 0 : std::min(in.ue(), kReferencesMax * 2);
  const std::uint32_t own = std::min(in.ue(), kReferencesMax * 2);
  for (std::uint32_t i = 0; i < of_sps + own && !in.failed(); ++i) {
    bool used = false;
    if (i < of_sps) {
      const std::uint32_t number = known.size() > 1 ? in.bits(bits_for(known.size())) : 0;
      used = number < known.size() && known[number];
    } else {
      in.bits(slice.sps.order_bits);
      used = in.flag();
    }
    slice.references += used ? 1 : 0;
    if (in.flag()) in.ue();
  }
}

void read_order(NalBits& in, Slice& slice) {
  if (slice.nal == kIdrWithLeading || slice.nal == kIdr) return;
  in.bits(slice.sps.order_bits);
  read_short_term(in, slice);
  if (slice.sps.long_term) read_long_term(in, slice);
  if (slice.sps.temporal_vectors) slice.temporal_vectors = in.flag();
}

void skip_list_modification(NalBits& in, const Slice& slice, std::uint32_t l0, std::uint32_t l1) {
  const unsigned bits = bits_for(slice.references);
  if (in.flag()) in.skip(std::size_t{l0} * bits);
  if (slice.is_b() && in.flag()) in.skip(std::size_t{l1} * bits);
}

void skip_weights_of(NalBits& in, std::uint32_t references, bool chroma) {
  const std::uint32_t luma_flags = in.bits(references);
  const std::uint32_t chroma_flags = chroma ? in.bits(references) : 0;
  for (std::uint32_t i = references; i-- > 0;) {  // the first flag is the highest bit
    for (int value = 0; value < ((luma_flags >> i & 1u) != 0 ? 2 : 0); ++value) in.se();
    for (int value = 0; value < ((chroma_flags >> i & 1u) != 0 ? 4 : 0); ++value) in.se();
  }
}

void skip_weights(NalBits& in, const Slice& slice, std::uint32_t l0, std::uint32_t l1) {
  const bool chroma = slice.sps.chroma != 0;
  in.ue();
  if (chroma) in.se();
  skip_weights_of(in, l0, chroma);
  if (slice.is_b()) skip_weights_of(in, l1, chroma);
}

void skip_prediction(NalBits& in, const Slice& slice) {
  if (!slice.is_inter()) return;
  std::uint32_t l0 = slice.pps.l0, l1 = slice.is_b() ? slice.pps.l1 : 0;
  if (in.flag()) {
    l0 = in.ue() + 1;
    if (slice.is_b()) l1 = in.ue() + 1;
  }
  l0 = std::min(l0, kReferencesMax);
  l1 = std::min(l1, kReferencesMax);
  if (slice.pps.list_modification && slice.references > 1) skip_list_modification(in, slice, l0, l1);
  if (slice.is_b()) in.flag();
  if (slice.pps.cabac_init) in.flag();
  if (slice.temporal_vectors) {
    const bool from_l0 = slice.is_b() ? in.flag() : true;
    if ((from_l0 ? l0 : l1) > 1) in.ue();
  }
  if (slice.is_b() ? slice.pps.weighted_bi : slice.pps.weighted) skip_weights(in, slice, l0, l1);
  in.ue();
}

void skip_filters(NalBits& in, const Slice& slice) {
  in.se();
  if (slice.pps.slice_chroma_offsets) {
    in.se();
    in.se();
  }
  if (slice.pps.chroma_offset_list) in.flag();
  bool off = slice.pps.deblocking_off;
  if (slice.pps.deblocking_override && in.flag()) {
    off = in.flag();
    if (!off) {
      in.se();
      in.se();
    }
  }
  if (slice.pps.filter_across_slices && (slice.adaptive_offset || !off)) in.flag();
}

void skip_independent_part(NalBits& in, Slice& slice) {
  in.skip(slice.pps.extra_bits);
  slice.type = in.ue();
  if (slice.pps.output_flag) in.flag();
  if (slice.sps.separate_planes) in.bits(2);
  read_order(in, slice);
  if (slice.sps.adaptive_offset) {
    slice.adaptive_offset = in.flag();
    if (slice.sps.chroma != 0) slice.adaptive_offset |= in.flag();
  }
  skip_prediction(in, slice);
  skip_filters(in, slice);
}

void skip_end(NalBits& in, const HevcSliceHeaders::Pps& pps) {
  if (pps.tiles || pps.wavefronts) {
    const std::uint32_t points = std::min(in.ue(), kEntryPointsMax);
    const std::size_t bits = points > 0 ? std::size_t{in.ue()} + 1 : 0;
    in.skip(points * std::min<std::size_t>(bits, 32));
  }
  if (pps.header_extension) in.skip(std::size_t{in.ue()} * 8);
  in.flag();  // of the alignment, which fills the byte
}

}  // namespace

Result<std::unique_ptr<SliceHeaders>> HevcSliceHeaders::from_config(ByteView hvcc) {
  auto headers = std::make_unique<HevcSliceHeaders>();
  ByteReader in(hvcc);
  in.skip(21);
  headers->length_bytes_ = (in.u8() & 3u) + 1;
  const unsigned arrays = in.u8();
  for (unsigned array = 0; array < arrays && !in.failed(); ++array) {
    in.u8();
    const unsigned count = in.u16();
    for (unsigned i = 0; i < count && !in.failed(); ++i) {
      const std::size_t bytes = in.u16();
      const ByteView nal = in.take(bytes);
      if (!in.failed()) REELWAY_TRY(headers->keep(nal));
    }
  }
  if (in.failed()) return malformed(four_cc("hvcC"), "cut short");
  return std::unique_ptr<SliceHeaders>(std::move(headers));
}

Result<void> HevcSliceHeaders::keep(ByteView nal) {
  if (nal.size() < kNalHeaderBytes) return damaged("an empty parameter set");
  NalBits in(nal.subspan(kNalHeaderBytes));
  std::uint32_t id = 0;
  if (nal_type(nal) == kSps) {
    auto sps = read_hevc_sps(in, id);
    if (!sps) return std::move(sps).error();
    sps_[id] = std::move(sps).value();
  } else if (nal_type(nal) == kPps) {
    const auto pps = read_hevc_pps(in, id);
    if (!pps) return pps.error();
    pps_[id] = *pps;
  }
  return {};
}

Result<std::uint64_t> HevcSliceHeaders::clear_bytes(ByteView head, std::uint64_t nal_bytes) {
  if (head.size() < kNalHeaderBytes) return damaged("a NAL unit without its header");
  const unsigned type = nal_type(head);
  const unsigned layer = (head[0] & 1u) << 5 | head[1] >> 3;
  if (type <= kVclMax && layer != 0) return unsupported(four_cc("hvc1"), "pictures of more than one layer");
  if (type <= kVclMax && type < kReservedVcl) return slice(head);
  if ((type == kSps || type == kPps) && layer == 0 && head.size() == nal_bytes) REELWAY_TRY(keep(head));
  return nal_bytes;
}

Result<std::uint64_t> HevcSliceHeaders::slice(ByteView head) const {
  const unsigned type = nal_type(head);
  NalBits in(head.subspan(kNalHeaderBytes));
  const bool first = in.flag();
  if (type >= kFirstRandomAccess && type <= kReservedRandomAccessMax) in.flag();
  const auto pps = pps_.find(in.ue());
  if (pps == pps_.end()) return damaged("a slice of an unknown PPS");
  const auto sps = sps_.find(pps->second.sps);
  if (sps == sps_.end()) return damaged("a slice of an unknown SPS");
  bool dependent = false;
  if (!first) {
    if (pps->second.dependent_slices) dependent = in.flag();
    in.bits(bits_for(sps->second.coding_tree_blocks));
  }
  Slice slice{sps->second, pps->second, type};
  if (!dependent) skip_independent_part(in, slice);
  skip_end(in, pps->second);
  if (in.failed()) return damaged("a slice header that does not end");
  return kNalHeaderBytes + in.bytes_read();
}

}  // namespace reelway::origin::mp4
