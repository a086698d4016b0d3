#include "common/base/bytes.h"
#include "common/base/check.h"
#include "origin/hls/subsamples.h"
#include "origin/mp4/box.h"
#include "origin/mp4/slice_headers.h"

// The pictures of a hostile track, looked through for what is to be encrypted. The input: 2 bytes of length, a sample
// entry of that length, then one sample with NAL units. An error, or subsamples that cover the sample exactly.

using namespace reelway;
using namespace reelway::origin;

namespace {

void scan(ByteView entry, ByteView sample, hls::Protection protection) {
  auto headers = mp4::slice_headers_of(entry);
  if (!headers.ok()) return;
  const std::vector<std::uint32_t> sizes = {static_cast<std::uint32_t>(sample.size())};
  hls::SubsampleScan scan(std::move(headers).value(), protection, sizes);
  for (std::uint64_t before = UINT64_MAX; !scan.done() && scan.next() != before;) {
    before = scan.next();
    CHECK(before <= sample.size());
    if (!scan.look(sample.subspan(static_cast<std::size_t>(before))).ok()) return;
  }
  CHECK(scan.done());
  const hls::SubsampleMap map = scan.take();
  std::uint64_t sum = 0;
  for (const hls::Subsample& subsample : map.subsamples) {
    sum += std::uint64_t{subsample.clear} + subsample.encrypted;
    CHECK(protection != hls::Protection::cenc || subsample.encrypted % 16 == 0);
  }
  CHECK(sum == sample.size() && map.counts.size() == 1 && map.subsamples.size() <= hls::kSubsamplesMax);
  const auto back = hls::parse_subsamples(hls::serialize_subsamples(map), sizes);
  CHECK(back.has_value() && hls::serialize_subsamples(*back) == hls::serialize_subsamples(map));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader in(ByteView(data, size));
  const std::size_t entry_bytes = in.u16();
  const ByteView entry = in.take(std::min(entry_bytes, in.remaining()));
  const ByteView sample = in.take(in.remaining());
  scan(entry, sample, hls::Protection::cbcs);
  scan(entry, sample, hls::Protection::cenc);
  (void)hls::parse_subsamples(entry, {static_cast<std::uint32_t>(sample.size())});
  return 0;
}
