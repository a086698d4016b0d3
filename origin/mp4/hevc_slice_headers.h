#pragma once

#include <map>
#include <vector>

#include "origin/mp4/nal_bits.h"
#include "origin/mp4/slice_headers.h"

namespace reelway::origin::mp4 {

// H.265 (ITU-T Rec. H.265 sections 7.3.2.2, 7.3.2.3, 7.3.6 and 7.3.7), one layer, without the screen content extension.
class HevcSliceHeaders final : public SliceHeaders {
 public:
  // From the body of hvcC.
  static Result<std::unique_ptr<SliceHeaders>> from_config(ByteView hvcc);

  Result<std::uint64_t> clear_bytes(ByteView head, std::uint64_t nal_bytes) override;
  std::size_t length_bytes() const override { return length_bytes_; }

  // A short-term reference picture set: distances of pictures before and after, each with whether this one uses it.
  struct Reference {
    std::int32_t distance = 0;
    bool used = false;
  };
  struct ReferenceSet {
    std::vector<Reference> before, after;
  };
  struct Sps {
    std::uint32_t chroma = 1;  // ChromaArrayType
    bool separate_planes = false;
    unsigned order_bits = 4;
    std::uint64_t coding_tree_blocks = 0;
    bool adaptive_offset = false;
    std::vector<ReferenceSet> sets;
    bool long_term = false;
    std::vector<bool> long_term_used;
    bool temporal_vectors = false;
  };
  struct Pps {
    std::uint32_t sps = 0;
    bool dependent_slices = false;
    bool output_flag = false;
    unsigned extra_bits = 0;
    bool cabac_init = false;
    std::uint32_t l0 = 1, l1 = 1;
    bool slice_chroma_offsets = false;
    bool weighted = false, weighted_bi = false;
    bool tiles = false, wavefronts = false;
    bool filter_across_slices = false;
    bool deblocking_override = false;
    bool deblocking_off = false;
    bool list_modification = false;
    bool header_extension = false;
    bool chroma_offset_list = false;
  };

 private:
  Result<void> keep(ByteView nal);
  Result<std::uint64_t> slice(ByteView head) const;

  std::size_t length_bytes_ = 4;
  std::map<std::uint32_t, Sps> sps_;
  std::map<std::uint32_t, Pps> pps_;
};

// The set number `number` of `known.size()` that came before it (section 7.3.7); `in_slice` for one in a slice header.
HevcSliceHeaders::ReferenceSet read_reference_set(NalBits& in, const std::vector<HevcSliceHeaders::ReferenceSet>& known,
                                                  bool in_slice);

}  // namespace reelway::origin::mp4
