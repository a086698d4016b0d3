#include "origin/mp4/hevc_parameter_sets.h"

#include <algorithm>
#include <string>

#include "origin/mp4/box.h"

// Model: syntax tables read in their order up to the last field on which the length of a slice header depends.

namespace reelway::origin::mp4 {
namespace {

using ReferenceSet = HevcSliceHeaders::ReferenceSet;
using Reference = HevcSliceHeaders::Reference;

constexpr std::uint32_t kSpsMax = 16, kPpsMax = 64, kSetsMax = 64, kLongTermMax = 32, kPicturesMax = 16;
constexpr std::uint32_t kTilesMax = 64;

Error damaged(const std::string& what) {
  return {ErrorCode::stored_data_corrupt, Side::disk, false, "H.265: " + what};
}

// profile_tier_level(1, layers) (section 7.3.3).
void skip_profile(NalBits& in, unsigned layers) {
  in.skip(96);
  bool profiles[8] = {}, levels[8] = {};
  for (unsigned i = 0; i < layers; ++i) {
    profiles[i] = in.flag();
    levels[i] = in.flag();
  }
  if (layers > 0) in.skip(2 * (8 - layers));
  for (unsigned i = 0; i < layers; ++i) in.skip((profiles[i] ? 88u : 0u) + (levels[i] ? 8u : 0u));
}

void skip_scaling_lists(NalBits& in) {
  for (unsigned size = 0; size < 4; ++size) {
    for (unsigned matrix = 0; matrix < 6; matrix += size == 3 ? 3 : 1) {
      if (!in.flag()) {
        in.ue();
        continue;
      }
      if (size > 1) in.se();
      const unsigned count = std::min(64u, 1u << (4 + (size << 1)));
      for (unsigned i = 0; i < count; ++i) in.se();
    }
  }
}

// A picture's distance from the one whose set is told by another set, and whether the new set takes it over.
struct Candidate {
  std::int32_t distance = 0;
  bool used = false;
  bool taken = true;
};

// Section 7.4.8: the candidates are the other set's pictures and the one it belongs to, moved by `delta`; those before
// the picture go into one list, nearest first, those after it into the other.
ReferenceSet predicted_set(NalBits& in, const ReferenceSet& other, std::int32_t delta) {
  std::vector<Candidate> candidates;
  for (const Reference& reference : other.before) candidates.push_back({reference.distance + delta});
  for (const Reference& reference : other.after) candidates.push_back({reference.distance + delta});
  candidates.push_back({delta});
  for (Candidate& candidate : candidates) {
    candidate.used = in.flag();
    if (!candidate.used) candidate.taken = in.flag();
  }
  ReferenceSet set;
  for (const Candidate& candidate : candidates) {
    if (!candidate.taken || candidate.distance == 0) continue;
    (candidate.distance < 0 ? set.before : set.after).push_back({candidate.distance, candidate.used});
  }
  const auto nearer = [](const Reference& a, const Reference& b) {
    return std::abs(a.distance) < std::abs(b.distance);
  };
  std::stable_sort(set.before.begin(), set.before.end(), nearer);
  std::stable_sort(set.after.begin(), set.after.end(), nearer);
  return set;
}

std::vector<Reference> read_distances(NalBits& in, std::uint32_t count, std::int32_t sign) {
  std::vector<Reference> references;
  std::int32_t distance = 0;
  for (std::uint32_t i = 0; i < std::min(count, kPicturesMax); ++i) {
    distance += sign * static_cast<std::int32_t>((in.ue() & 0x7fff) + 1);
    references.push_back({distance, in.flag()});
  }
  return references;
}

void read_sizes(NalBits& in, HevcSliceHeaders::Sps& sps, unsigned layers) {
  const std::uint64_t width = in.ue(), height = in.ue();
  if (in.flag()) {
    for (int i = 0; i < 4; ++i) in.ue();
  }
  in.ue();
  in.ue();
  sps.order_bits = in.ue() + 4;
  const bool each_layer = in.flag();
  for (unsigned i = each_layer ? 0 : layers; i <= layers; ++i) {
    for (int value = 0; value < 3; ++value) in.ue();
  }
  const std::uint32_t least = in.ue() + 3;
  const std::uint32_t block_bits = std::min(least + in.ue(), 31u);
  const std::uint64_t block = std::uint64_t{1} << block_bits;
  sps.coding_tree_blocks = ((width + block - 1) / block) * ((height + block - 1) / block);
}

void read_tools(NalBits& in, HevcSliceHeaders::Sps& sps) {
  for (int i = 0; i < 4; ++i) in.ue();  // transform sizes and depths
  if (in.flag() && in.flag()) skip_scaling_lists(in);
  in.flag();
  sps.adaptive_offset = in.flag();
  if (!in.flag()) return;
  in.bits(8);  // PCM
  in.ue();
  in.ue();
  in.flag();
}

void read_references(NalBits& in, HevcSliceHeaders::Sps& sps) {
  const std::uint32_t sets = std::min(in.ue(), kSetsMax);
  for (std::uint32_t i = 0; i < sets && !in.failed(); ++i) sps.sets.push_back(read_reference_set(in, sps.sets, false));
  sps.long_term = in.flag();
  const std::uint32_t long_terms = sps.long_term ? std::min(in.ue(), kLongTermMax) : 0;
  for (std::uint32_t i = 0; i < long_terms; ++i) {
    in.bits(sps.order_bits);
    sps.long_term_used.push_back(in.flag());
  }
  sps.temporal_vectors = in.flag();
}

void skip_tiles(NalBits& in) {
  const std::uint32_t columns = std::min(in.ue(), kTilesMax), rows = std::min(in.ue(), kTilesMax);
  if (!in.flag()) {
    for (std::uint32_t i = 0; i < columns + rows; ++i) in.ue();
  }
  in.flag();
}

Result<void> read_pps_extensions(NalBits& in, HevcSliceHeaders::Pps& pps, bool transform_skip) {
  if (!in.flag()) return {};
  const bool range = in.flag();
  const bool layers = in.flag(), depth = in.flag(), screen = in.flag();
  in.bits(4);
  if (layers || depth || screen) return unsupported(four_cc("hvc1"), "layers, depth and screen content extensions");
  if (!range) return {};
  if (transform_skip) in.ue();
  in.flag();
  pps.chroma_offset_list = in.flag();
  return {};
}

}  // namespace

ReferenceSet read_reference_set(NalBits& in, const std::vector<ReferenceSet>& known, bool in_slice) {
  const bool predicted = !known.empty() && in.flag();
  if (predicted) {
    const std::uint32_t back = in_slice ? in.ue() + 1 : 1;
    const bool negative = in.flag();
    const auto distance = static_cast<std::int32_t>((in.ue() & 0x7fff) + 1);
    const std::size_t place = back > known.size() ? 0 : known.size() - back;
    return predicted_set(in, known[place], negative ? -distance : distance);
  }
  const std::uint32_t before = in.ue(), after = in.ue();
  ReferenceSet set;
  set.before = read_distances(in, before, -1);
  set.after = read_distances(in, after, 1);
  return set;
}

Result<HevcSliceHeaders::Sps> read_hevc_sps(NalBits& in, std::uint32_t& id) {
  HevcSliceHeaders::Sps sps;
  in.bits(4);
  const unsigned layers = in.bits(3);
  if (layers > 6) return damaged("an SPS with more than 7 sub-layers");
  in.flag();
  skip_profile(in, layers);
  id = in.ue();
  sps.chroma = in.ue();
  if (sps.chroma == 3 && in.flag()) {
    sps.separate_planes = true;
    sps.chroma = 0;
  }
  read_sizes(in, sps, layers);
  read_tools(in, sps);
  if (sps.order_bits > 16) return damaged("a malformed SPS");
  read_references(in, sps);
  if (in.failed() || id >= kSpsMax) return damaged("a malformed SPS");
  return sps;
}

Result<HevcSliceHeaders::Pps> read_hevc_pps(NalBits& in, std::uint32_t& id) {
  HevcSliceHeaders::Pps pps;
  id = in.ue();
  pps.sps = in.ue();
  pps.dependent_slices = in.flag();
  pps.output_flag = in.flag();
  pps.extra_bits = in.bits(3);
  in.flag();
  pps.cabac_init = in.flag();
  pps.l0 = in.ue() + 1;
  pps.l1 = in.ue() + 1;
  in.se();
  in.flag();
  const bool transform_skip = in.flag();
  if (in.flag()) in.ue();
  in.se();
  in.se();
  pps.slice_chroma_offsets = in.flag();
  pps.weighted = in.flag();
  pps.weighted_bi = in.flag();
  in.flag();
  pps.tiles = in.flag();
  pps.wavefronts = in.flag();
  if (pps.tiles) skip_tiles(in);
  pps.filter_across_slices = in.flag();
  if (in.flag()) {
    pps.deblocking_override = in.flag();
    pps.deblocking_off = in.flag();
    if (!pps.deblocking_off) {
      in.se();
      in.se();
    }
  }
  if (in.flag()) skip_scaling_lists(in);
  pps.list_modification = in.flag();
  in.ue();
  pps.header_extension = in.flag();
  REELWAY_TRY(read_pps_extensions(in, pps, transform_skip));
  if (in.failed() || id >= kPpsMax) return damaged("a malformed PPS");
  return pps;
}

}  // namespace reelway::origin::mp4
