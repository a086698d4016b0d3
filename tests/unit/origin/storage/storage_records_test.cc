#include "origin/storage/storage_records.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

const FileId kFile{"a-film", "v12", "film/video-720.mp4"};

TEST(StorageRecordsTest, IdentityStandsInTheKey) {
  EXPECT_EQ(file_key(kFile), "/v1/storage/file/a-film/v12/film/video-720.mp4");
  EXPECT_EQ(file_id(file_key(kFile), kFilePrefix), kFile);
  EXPECT_EQ(file_id(copying_key(kFile), kCopyingPrefix), kFile);
  EXPECT_LT(part_key(kFile, 9), part_key(kFile, 10000));
  EXPECT_TRUE(is_original({"a", "v1", "original/source"}));
  EXPECT_FALSE(is_original(kFile));
}

TEST(StorageRecordsTest, FileComesBackAsItWas) {
  FileRecord record;
  record.id = kFile;
  record.bytes = 1ull << 40;
  record.sha256 = "ab";
  record.scrubbed_at_ms = 5;
  record.moved_at_ms = 6;
  record.removed_at_ms = 7;
  EXPECT_EQ(to_json(*parse_file(file_key(kFile), to_json(record))), to_json(record));
  record.copy = FileCopy{"archive", {"films", "a/b"}, "\"etag\"", 9};
  record.finding = FileFinding{1, 2, 3, 4, "why", 5, "why not"};
  const auto again = parse_file(file_key(kFile), to_json(record));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(to_json(*again), to_json(record));
  EXPECT_EQ(again->copy->object.key, "a/b");
  EXPECT_EQ(again->finding->places, 4u);
}

TEST(StorageRecordsTest, SumGoesOnWhereItWas) {
  Sha256 sum;
  sum.add(as_bytes("abc"));
  CopyingRecord record{"id", 64, 3, sum.midstate()};
  const auto again = parse_copying(copying_key(kFile), to_json(record));
  ASSERT_TRUE(again.ok());
  Sha256 other(again->sum);
  sum.add(as_bytes("def"));
  other.add(as_bytes("def"));
  EXPECT_EQ(other.finish(), sum.finish());
  ScrubRecord scrub;
  scrub.at = kFile;
  scrub.sum = sum.midstate();
  EXPECT_EQ(to_json(*parse_scrub(kScrubKey, to_json(scrub))), to_json(scrub));
  UseRecord use{"a-film", 3, "v2", {{"v1", 77}}};
  EXPECT_EQ(to_json(*parse_use(use_key("a-film"), to_json(use))), to_json(use));
  EXPECT_EQ(*parse_hold(hold_key("a-film", "v1"), hold_json(12)), 12);
}

TEST(StorageRecordsTest, WhatIsNoRecordIsRefusedWithItsKey) {
  for (const char* text : {"", "[]", "{\"format\":2}", "{\"format\":1}", "{\"format\":1,\"bytes\":-1}"}) {
    EXPECT_EQ(parse_file(file_key(kFile), text).error().code, ErrorCode::stored_data_corrupt) << text;
    EXPECT_EQ(parse_copying(copying_key(kFile), text).error().code, ErrorCode::stored_data_corrupt) << text;
    EXPECT_EQ(parse_scrub(kScrubKey, text).error().code, ErrorCode::stored_data_corrupt) << text;
    EXPECT_EQ(parse_use(use_key("a"), text).error().code, ErrorCode::stored_data_corrupt) << text;
  }
  EXPECT_FALSE(parse_copying("k", R"({"format":1,"upload_id":"u","part_bytes":1,"parts":0,"sum":"00"})").ok());
}

}  // namespace
}  // namespace reelway::origin
