#include "origin/mp4/box.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reelway::origin::mp4 {
namespace {

using ::testing::HasSubstr;

Bytes box(FourCc type, std::size_t body_bytes) {
  ByteWriter out;
  {
    const BoxScope scope(out, type);
    out.zeros(body_bytes);
  }
  return out.take();
}

Bytes joined(std::initializer_list<Bytes> parts) {
  ByteWriter out;
  for (const Bytes& part : parts) out.append(part);
  return out.take();
}

RangeReader reader_of(const Bytes& file) {
  return [&file](std::uint64_t offset, std::size_t count) -> Result<Bytes> {
    EXPECT_LE(count, kBoxHeaderBytesMax);
    EXPECT_LE(offset + count, file.size());
    const auto at = file.begin() + static_cast<std::ptrdiff_t>(offset);
    return Bytes(at, at + static_cast<std::ptrdiff_t>(count));
  };
}

TEST(BoxHeader, ReadsBothSizes) {
  const Bytes small = box(four_cc("free"), 3);
  const auto header = next_box_header(small);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->type, four_cc("free"));
  EXPECT_EQ(header->size, 11u);
  EXPECT_EQ(header->header_bytes, 8u);

  ByteWriter large;
  large.u32(1);
  large.u32(four_cc("mdat"));
  large.u64(std::uint64_t{5} << 32);
  const auto wide = next_box_header(large.bytes());
  ASSERT_TRUE(wide.ok());
  EXPECT_EQ(wide->size, std::uint64_t{5} << 32);
  EXPECT_EQ(wide->header_bytes, 16u);
}

TEST(BoxHeader, RefusesWhatIsShortOrTooSmall) {
  EXPECT_EQ(next_box_header({}).error().code, ErrorCode::mp4_malformed);
  const Bytes seven(7, 0);
  EXPECT_EQ(next_box_header(seven).error().code, ErrorCode::mp4_malformed);
  for (const std::uint32_t size : {2u, 7u}) {
    ByteWriter out;
    out.u32(size);
    out.u32(four_cc("moov"));
    EXPECT_THAT(next_box_header(out.bytes()).error().detail, HasSubstr("moov"));
  }
  for (const std::uint64_t size : {0u, 15u}) {
    ByteWriter out;
    out.u32(1);
    out.u32(four_cc("moov"));
    out.u64(size);
    EXPECT_EQ(next_box_header(out.bytes()).error().code, ErrorCode::mp4_malformed);
  }
  ByteWriter cut;
  cut.u32(1);
  cut.u32(four_cc("moov"));
  cut.u32(0);
  EXPECT_EQ(next_box_header(cut.bytes()).error().code, ErrorCode::mp4_malformed);
}

TEST(FindMoov, InFrontAtTheEndAndWithoutASize) {
  const Bytes front = joined({box(four_cc("ftyp"), 8), box(four_cc("moov"), 20), box(four_cc("mdat"), 100)});
  auto found = find_moov(front.size(), reader_of(front));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->offset, 16u);
  EXPECT_EQ(found->bytes, 28u);

  Bytes end = joined({box(four_cc("ftyp"), 8), box(four_cc("mdat"), 100), box(four_cc("moov"), 20)});
  found = find_moov(end.size(), reader_of(end));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->offset, 124u);

  for (std::size_t i = 0; i < 4; ++i) end[124 + i] = 0;  // to the end of the file
  found = find_moov(end.size(), reader_of(end));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->bytes, 28u);
}

TEST(FindMoov, SaysWhatIsCutShortAndWhatIsMissing) {
  Bytes cut = joined({box(four_cc("ftyp"), 8), box(four_cc("mdat"), 100)});
  EXPECT_EQ(find_moov(cut.size(), reader_of(cut)).error().code, ErrorCode::mp4_malformed);
  cut.resize(60);
  const Error truncated = find_moov(cut.size(), reader_of(cut)).error();
  EXPECT_EQ(truncated.code, ErrorCode::media_truncated);
  EXPECT_THAT(truncated.detail, HasSubstr("mdat box at 16"));
  EXPECT_EQ(find_moov(0, reader_of(cut)).error().code, ErrorCode::mp4_malformed);
}

TEST(FindMoov, PassesAReadErrorOn) {
  const auto broken = [](std::uint64_t, std::size_t) -> Result<Bytes> {
    return Error{ErrorCode::io_failed, Side::disk, true, "read"};
  };
  EXPECT_EQ(find_moov(100, broken).error().code, ErrorCode::io_failed);
}

TEST(FindMoov, GivesUpOnAFileOfTinyBoxes) {
  const auto endless = [](std::uint64_t, std::size_t) -> Result<Bytes> { return box(four_cc("free"), 0); };
  EXPECT_EQ(find_moov(std::uint64_t{1} << 60, endless).error().code, ErrorCode::mp4_malformed);
}

TEST(Children, StayWithinTheirParent) {
  const Bytes body = joined({box(four_cc("aaaa"), 4), box(four_cc("bbbb"), 0)});
  std::string seen;
  const auto remember = [&seen](const Box& child) -> Result<void> {
    seen += four_cc_text(child.type);
    return {};
  };
  EXPECT_TRUE(for_each_child(body, four_cc("moov"), remember).ok());
  EXPECT_EQ(seen, "aaaabbbb");
  for (std::size_t size = 1; size < body.size(); ++size) {
    if (size == 12) continue;  // ends with the first child
    const auto walked = for_each_child(ByteView(body).first(size), four_cc("moov"), remember);
    EXPECT_EQ(walked.error().code, ErrorCode::mp4_malformed) << size;
  }
}

TEST(FourCcText, IsPrintable) {
  EXPECT_EQ(four_cc_text(four_cc("avc1")), "avc1");
  EXPECT_EQ(four_cc_text(0x41000a7f), "A???");
}

}  // namespace
}  // namespace reelway::origin::mp4
