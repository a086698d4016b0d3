#include "origin/hls/segment_maker.h"

#include <string>

#include "common/base/check.h"
#include "origin/hls/protected_segment.h"
#include "origin/hls/ts_segment.h"
#include "origin/hls/whole_segment.h"

namespace reelway::origin::hls {
namespace {

Result<std::unique_ptr<SegmentMaker>> encrypted_ts(const SegmentOrder& order) {
  CHECK(order.key != nullptr);
  SegmentOrder clear = order;
  clear.packaging = Packaging::ts;
  auto maker = make_ts_segment_maker(clear);
  if (!maker) return std::move(maker).error();
  return encrypt_segment(std::move(maker).value(), *order.key);
}

}  // namespace

Result<std::unique_ptr<SegmentMaker>> make_segment_maker(const SegmentOrder& order) {
  CHECK(order.packaging != Packaging::cmaf);
  const std::uint32_t count = segment_count(order.index, order.units_per_segment);
  if (order.segment >= count) {
    return Error{ErrorCode::http_not_found, Side::client, false,
                 "segment " + std::to_string(order.segment) + ", the track has " + std::to_string(count)};
  }
  switch (order.packaging) {
    case Packaging::aes: return encrypt_clear_segment(order);
    case Packaging::cbcs:
    case Packaging::cenc: return make_protected_segment(order);
    case Packaging::ts_aes: return encrypted_ts(order);
    case Packaging::ts:
    case Packaging::ts_sample_aes: return make_ts_segment_maker(order);
    default: break;
  }
  return Error{ErrorCode::http_not_found, Side::client, false,
               "no packaging of films is called \"" + std::string(traits(order.packaging).folder) + "\""};
}

}  // namespace reelway::origin::hls
