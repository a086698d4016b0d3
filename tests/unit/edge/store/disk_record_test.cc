#include "edge/store/disk_record.h"

#include <gtest/gtest.h>

#include "common/base/crc32c.h"

namespace reelway::edge {
namespace {

DiskRecord sample() {
  DiskRecord record;
  record.sequence = 77;
  record.meta.key = "/film/v1/video/720/3.m4s|all";
  record.meta.status = 203;
  record.meta.content_type = "video/mp4";
  record.meta.etag = "\"abc\"";
  record.meta.last_modified = "Tue, 15 Nov 1994 12:45:26 GMT";
  record.meta.cache_control = "public, max-age=5";
  record.meta.content_encoding = "br";
  record.meta.received_ms = 1234567890123;
  record.meta.date_ms = 1234567890000;
  record.meta.age_s = 9;
  record.meta.fresh_until_ms = 1234567899999;
  record.meta.headers = "Link: </a>\r\nX-Empty:\r\n";
  record.meta.tags = {"film", "title-7"};
  record.meta.vary = {"accept-encoding"};
  record.meta.stale_while_revalidate_s = 30;
  record.meta.stale_if_error_s = 600;
  record.meta.always_validate = true;
  record.meta.purge_epoch = 11;
  record.meta.sliced_bytes = 5'000'000'000;
  record.meta.slice_bytes = 4 << 20;
  record.extents = {{{16, 4}, 1 << 20, 0x12345678}, {{3, 0}, 5000, 0x9abcdef0}};
  record.meta.length = (1 << 20) + 5000;
  record.meta.crc32c = crc32c_combine(0x12345678, 0x9abcdef0, 5000);
  return record;
}

TEST(DiskRecord, ReadsBackWhatItWrote) {
  const DiskRecord record = sample();
  const auto read = decode_record(record.meta.key, encode_record(record));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(encode_record(*read), encode_record(record));
  EXPECT_EQ(read->sequence, 77u);
  EXPECT_EQ(read->meta.content_encoding, "br");
  EXPECT_EQ(read->meta.length, record.meta.length);
  EXPECT_EQ(read->extents.size(), 2u);
  EXPECT_EQ(read->meta.headers, record.meta.headers);
  EXPECT_EQ(read->meta.tags, record.meta.tags);
  EXPECT_EQ(read->meta.vary, record.meta.vary);
  EXPECT_EQ(read->meta.stale_while_revalidate_s, 30u);
  EXPECT_EQ(read->meta.stale_if_error_s, 600u);
  EXPECT_FALSE(read->meta.must_revalidate);
  EXPECT_TRUE(read->meta.always_validate);
  EXPECT_FALSE(read->meta.heuristic);
  EXPECT_EQ(read->meta.purge_epoch, 11u);
  EXPECT_EQ(read->meta.sliced_bytes, 5'000'000'000u);
  EXPECT_EQ(read->meta.slice_bytes, 4u << 20);
}

// What the edges before slices wrote: the same, without these two lengths before what tells where the body lies.
TEST(DiskRecord, ReadsFormat2) {
  DiskRecord record = sample();
  record.meta.sliced_bytes = record.meta.slice_bytes = 0;
  Bytes bytes = encode_record(record);
  constexpr std::size_t kBehind = 1 + 4 + 2 * (4 + 1 + 4 + 4) + 4;
  bytes.resize(bytes.size() - 4);
  bytes.erase(bytes.end() - (kBehind - 4) - 16, bytes.end() - (kBehind - 4));
  bytes[0] = 2;
  ByteWriter sum;
  sum.u32(crc32c(bytes));
  bytes.insert(bytes.end(), sum.bytes().begin(), sum.bytes().end());
  const auto read = decode_record(record.meta.key, bytes);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->meta.purge_epoch, 11u);
  EXPECT_EQ(read->meta.sliced_bytes, 0u);
  EXPECT_EQ(read->extents.size(), 2u);
  RecordSummary summary;
  ASSERT_TRUE(summarize_record(record.meta.key, bytes, summary));
  EXPECT_EQ(summary.purge_epoch, 11u);
  EXPECT_EQ(summary.extents.size(), 2u);
}

// What an edge of the release before wrote.
TEST(DiskRecord, ReadsFormat1) {
  const auto text = [](ByteWriter& out, std::string_view value) {
    out.u32(static_cast<std::uint32_t>(value.size()));
    out.append(value);
  };
  ByteWriter out;
  out.u8(1);
  out.u64(5);
  text(out, "/a|all");
  out.u16(200);
  for (const char* value : {"text/plain", "\"e\"", "", "max-age=5", ""}) text(out, value);
  out.u64(3);
  out.u32(0x11223344);
  out.i64(1000);
  out.i64(900);
  out.u32(1);
  out.i64(6000);
  out.u8(1);
  out.u32(0);
  out.u32(crc32c(out.bytes()));
  const auto read = decode_record("/a|all", out.bytes());
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->is_inline);
  EXPECT_EQ(read->meta.etag, "\"e\"");
  EXPECT_EQ(read->meta.fresh_until_ms, 6000);
  EXPECT_TRUE(read->meta.headers.empty());
  EXPECT_EQ(read->meta.purge_epoch, 0u);
}

TEST(DiskRecord, FindsEveryFlippedBitAndEveryCut) {
  const DiskRecord record = sample();
  Bytes bytes = encode_record(record);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(decode_record(record.meta.key, bytes).has_value()) << bit;
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(decode_record(record.meta.key, ByteView(bytes).first(cut)).has_value()) << cut;
  }
}

TEST(DiskRecord, IsForItsOwnKeyOnly) {
  EXPECT_FALSE(decode_record("/film/v1/video/720/4.m4s|all", encode_record(sample())).has_value());
}

TEST(DiskRecord, RefusesExtentsThatCannotBe) {
  const auto refused = [](auto change) {
    DiskRecord record = sample();
    change(record);
    return !decode_record(record.meta.key, encode_record(record)).has_value();
  };
  EXPECT_TRUE(refused([](DiskRecord& record) { record.extents[0].extent.order = 5; }));
  EXPECT_TRUE(refused([](DiskRecord& record) { record.extents[0].extent.granule = 17; }));
  EXPECT_TRUE(refused([](DiskRecord& record) { record.extents[1].bytes = 70'000; }));
  EXPECT_TRUE(refused([](DiskRecord& record) { record.extents[1].crc32c ^= 1; }));
  EXPECT_TRUE(refused([](DiskRecord& record) { std::swap(record.extents[0], record.extents[1]); }));
  EXPECT_TRUE(refused([](DiskRecord& record) { record.extents.pop_back(); }));
  EXPECT_TRUE(refused([](DiskRecord& record) { record.is_inline = true; }));
}

}  // namespace
}  // namespace reelway::edge
