#include "origin/mp4/slice_headers.h"

#include "origin/mp4/avc_slice_headers.h"
#include "origin/mp4/box.h"
#include "origin/mp4/hevc_slice_headers.h"

namespace reelway::origin::mp4 {
namespace {

constexpr std::size_t kVideoFixedBytes = 8 + 78;  // box header and VisualSampleEntry

}  // namespace

Result<std::unique_ptr<SliceHeaders>> slice_headers_of(ByteView sample_entry) {
  ByteReader in(sample_entry);
  in.u32();
  const FourCc type = in.u32();
  if (in.failed() || sample_entry.size() < kVideoFixedBytes) return malformed(four_cc("stsd"), "a cut sample entry");
  ByteView avc, hevc;
  auto walked = for_each_child(sample_entry.subspan(kVideoFixedBytes), type, [&](const Box& box) -> Result<void> {
    if (box.type == four_cc("avcC")) avc = box.body;
    if (box.type == four_cc("hvcC")) hevc = box.body;
    return {};
  });
  if (!walked) return std::move(walked).error();
  if (!avc.empty()) return AvcSliceHeaders::from_config(avc);
  if (!hevc.empty()) return HevcSliceHeaders::from_config(hevc);
  return unsupported(type, "samples of this codec are not encrypted; H.264 and H.265 are");
}

}  // namespace reelway::origin::mp4
