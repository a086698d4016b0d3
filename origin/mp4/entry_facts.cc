#include "origin/mp4/entry_facts.h"

#include "origin/mp4/bit_reader.h"
#include "origin/mp4/box.h"

namespace reelway::origin::mp4 {
namespace {

constexpr std::size_t kBoxHeaderBytes = 8;
constexpr std::size_t kVideoFixedBytes = 78;
constexpr std::size_t kAudioFixedBytes = 28;
constexpr std::uint16_t kTransferPq = 16, kTransferHlg = 18;
constexpr std::uint32_t kComplexityMax = 16;

// The body of the first child of this type for which `wanted` holds.
template <class Wanted>
std::optional<ByteView> child(ByteView entry, std::size_t fixed_bytes, FourCc type, Wanted&& wanted) {
  if (entry.size() < kBoxHeaderBytes + fixed_bytes) return std::nullopt;
  std::optional<ByteView> found;
  static_cast<void>(
      for_each_child(entry.subspan(kBoxHeaderBytes + fixed_bytes), type, [&](const Box& box) -> Result<void> {
        if (box.type == type && !found && wanted(box.body)) found = box.body;
        return {};
      }));
  return found;
}

}  // namespace

VideoRange video_range(ByteView sample_entry) {
  const auto is_nclx = [](ByteView body) { return body.size() >= 10 && ByteReader(body).u32() == four_cc("nclx"); };
  const auto colour = child(sample_entry, kVideoFixedBytes, four_cc("colr"), is_nclx);
  if (!colour) return VideoRange::sdr;
  ByteReader reader(*colour);
  reader.skip(4 + 2);  // type, primaries
  const std::uint16_t transfer = reader.u16();
  if (transfer == kTransferPq) return VideoRange::pq;
  return transfer == kTransferHlg ? VideoRange::hlg : VideoRange::sdr;
}

std::optional<std::uint32_t> joint_object_complexity(ByteView sample_entry) {
  const auto config = child(sample_entry, kAudioFixedBytes, four_cc("dec3"), [](ByteView) { return true; });
  if (!config) return std::nullopt;
  BitReader reader(*config);
  reader.bits(13);  // data rate
  const std::uint32_t substreams = reader.bits(3) + 1;
  for (std::uint32_t i = 0; i < substreams; ++i) {
    reader.bits(2 + 5 + 1 + 1 + 3 + 3 + 1 + 3);
    const std::uint32_t dependents = reader.bits(4);
    reader.bits(dependents > 0 ? 9 : 1);
  }
  reader.bits(7);
  const bool has_objects = reader.flag();
  const std::uint32_t complexity = reader.bits(8);
  if (reader.failed() || !has_objects || complexity == 0 || complexity > kComplexityMax) return std::nullopt;
  return complexity;
}

}  // namespace reelway::origin::mp4
