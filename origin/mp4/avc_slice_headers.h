#pragma once

#include <map>

#include "origin/mp4/nal_bits.h"
#include "origin/mp4/slice_headers.h"

namespace reelway::origin::mp4 {

// H.264 (ITU-T Rec. H.264 sections 7.3.2.1, 7.3.2.2 and 7.3.3), without data partitions, MVC and SVC.
class AvcSliceHeaders final : public SliceHeaders {
 public:
  // From the body of avcC.
  static Result<std::unique_ptr<SliceHeaders>> from_config(ByteView avcc);

  Result<std::uint64_t> clear_bytes(ByteView head, std::uint64_t nal_bytes) override;
  std::size_t length_bytes() const override { return length_bytes_; }

  struct Sps {
    bool separate_planes = false;
    bool has_chroma = true;  // ChromaArrayType is not 0
    unsigned frame_num_bits = 4;
    unsigned order_type = 0;
    unsigned order_bits = 4;
    bool order_always_zero = false;
    bool frames_only = true;
    std::uint64_t map_units = 0;  // PicSizeInMapUnits
  };
  struct Pps {
    std::uint32_t sps = 0;
    bool cabac = false;
    bool bottom_order = false;
    std::uint64_t slice_group_change_rate = 0;
    std::uint32_t l0 = 1, l1 = 1;  // num_ref_idx defaults
    bool weighted = false;
    unsigned weighted_bi = 0;
    bool deblocking_control = false;
    bool redundant_count = false;
  };

 private:
  Result<void> keep(ByteView nal);
  Result<std::uint64_t> slice(ByteView head) const;

  std::size_t length_bytes_ = 4;
  std::map<std::uint32_t, Sps> sps_;
  std::map<std::uint32_t, Pps> pps_;
};

}  // namespace reelway::origin::mp4
